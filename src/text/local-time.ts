/** Formats a time as the local day and time, to the second, since people read it by their own clock. */
export function dayAndTime(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "a time that is none";
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return `${day.map((part) => String(part).padStart(2, "0")).join("-")} ${date.toTimeString().slice(0, 8)}`;
}
