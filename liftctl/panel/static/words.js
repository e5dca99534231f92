// The words of the chosen language.

const KEY = "liftctl.language";
let words = {};
export let language = "";

export async function choose(code) {
  const answer = await fetch(`/languages/${code}.json`);
  if (!answer.ok) throw new Error(`no language ${code}`);
  words = await answer.json();
  language = code;
  document.documentElement.lang = code;
  localStorage.setItem(KEY, code);
}

export function remembered(offered) {
  const code = localStorage.getItem(KEY);
  return offered.includes(code) ? code : offered[0];
}

export const has = (key) => key in words;

/** The text of `key`, with {name} filled in; the fallback, or the last part of the key, when there is none. */
export function t(key, values = {}, fallback = null) {
  const text = words[key] ?? fallback ?? key.split(".").pop().replaceAll("_", " ");
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const number = (value, digits = 0) =>
  value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
