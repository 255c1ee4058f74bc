import { place, type LayoutInput } from "./layout.ts";

addEventListener("message", ({ data }: MessageEvent<LayoutInput>) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it goes to the page that started this worker
  postMessage(place(data));
});
