const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const signedPercent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" });
const signedWhole = new Intl.NumberFormat("en", { maximumFractionDigits: 0, signDisplay: "exceptZero" });

export const kg = (value: number): string => grouped.format(value);
export const percent = (share: number): string => signedPercent.format(share);
export const signed = (value: number): string => signedWhole.format(value);

/** Seconds as a person reads an age: tenths below ten, then whole, then minutes, hours, days. */
export function ageText(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 99.5) return `${Math.round(s)} s`;
  if (s < 5970) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

/** `12 ms`, `0.4 ms`, `1.2 s`. */
export function milliseconds(ms: number): string {
  return ms < 9.95 ? `${ms.toFixed(1)} ms` : ms < 9950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** The end of a day that is given as `2027-03-31`, UTC: seconds since 1970, as the lane judges it. */
export const dateEnd = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 1000 + 86400;

const two = (n: number): string => String(n).padStart(2, "0");
/** Time of day where this screen stands. */
export function clockText(at: number): string {
  const t = new Date(at * 1000);
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}
export function dateText(at: number): string {
  const t = new Date(at * 1000);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
}

/** 沪AD3F88 as people write it: 沪A·D3F88. Anything else stays as it was read. */
export function plateText(text: string): string {
  return /^\p{Script=Han}[A-Z]/u.test(text) ? `${text.slice(0, 2)}·${text.slice(2)}` : text;
}
