/** The local day and time of it, to the second: what is told to people is told in the time of their clock. */
export function dayAndTime(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "a time that is none";
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return `${day.map((part) => String(part).padStart(2, "0")).join("-")} ${date.toTimeString().slice(0, 8)}`;
}
