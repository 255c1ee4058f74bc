declare module "worker:layout" {
  const source: string;
  // oxlint-disable-next-line import/no-default-export -- a text has no names
  export default source;
}
declare module "*.css" {}
