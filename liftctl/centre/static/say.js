// Numbers and times as people say them.
import { language, number, t } from "/shared/words.js";

export const kindOf = (share) => (share >= 0.5 ? "bad" : share >= 0.05 ? "watch" : "good");

export const gauge = (value) => number(value, value > 0 && value < 9.95 ? 1 : 0);

export function ago(seconds) {
  if (seconds === null || seconds === undefined) return t("centre.never");
  const steps = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const [size, unit] = steps.find(([size]) => seconds >= size * 1.5) ?? steps[3];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-Math.round(seconds / size), unit);
}

export const when = (text) =>
  text ? new Date(text).toLocaleString(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }) : "–";

export const date = (text) =>
  text ? new Date(text).toLocaleDateString(language, { day: "numeric", month: "long", year: "numeric" }) : "–";

export const plain = (value) => {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.length ? value.map(String).join(", ").replaceAll("_", " ") : "–";
  if (typeof value === "boolean") return t(value ? "centre.yes" : "centre.no");
  if (typeof value === "number") return number(value, Number.isInteger(value) ? 0 : 1);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};
