// Asking the centre. An answer that is no answer becomes an error with a sentence.

export class Trouble extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Trouble(0, "");
  }
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => ({}));
  throw new Trouble(answer.status, typeof told.detail === "string" ? told.detail : "");
}

export const get = (path) => ask(path);

export const post = (path, body) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) });

export const path = (...parts) => parts.map(encodeURIComponent).join("/");
