// A stopwatch for a baseline: who was there from when to when. Nothing leaves the browser but the file.

import words from "./observe_words.js";

const $ = (id) => document.getElementById(id);
const KINDS = ["bed-chair", "chair-bed", "bed-toilet", "toilet-bed", "chair-toilet", "toilet-chair", "sit-stand"];
const COLUMNS = ["transfer_id", "resident", "home", "kind", "carers", "started_at", "ended_at", "outcome", "carers_planned", "staff_s", "waiting_s"];
const BUTTONS = ["start", "join", "leave", "end", "fallback", "abort", "undo", "save", "clear"];
const KEPT = ["language", "home", "resident", "kind", "planned"];
const STORE = "liftctl-observe";

const fresh = () => ({ rows: [], form: {}, stays: null });
const kept = JSON.parse(localStorage.getItem(STORE) ?? "null");
const state = Object.assign(fresh(), kept);
const text = (key) => words[$("language").value][key];

function keep() {
  for (const id of KEPT) state.form[id] = $(id).value;
  localStorage.setItem(STORE, JSON.stringify(state));
}

// Local time with its offset: the hour that happens twice stays two hours.
function iso(ms) {
  const at = new Date(ms), minutes = -at.getTimezoneOffset(), two = (n) => String(n).padStart(2, "0");
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return new Date(ms + minutes * 60000).toISOString().replace("Z", offset);
}

const present = () => (state.stays ?? []).filter((stay) => stay.left === null).length;

function most(stays, end) {
  const there = (at) => stays.filter((stay) => stay.joined <= at && (stay.left ?? end) > at).length;
  return Math.max(...stays.map((stay) => there(stay.joined)));
}

function waiting(stays, planned) {
  return planned > 1 && stays.length >= planned ? stays[planned - 1].joined - stays[0].joined : 0;
}

function finish(outcome) {
  const stays = state.stays, end = Date.now(), start = stays[0].joined, planned = Number($("planned").value);
  const staff = stays.reduce((sum, stay) => sum + ((stay.left ?? end) - stay.joined), 0);
  state.rows.push({
    transfer_id: `study-${start.toString(36)}-${state.rows.length + 1}`, resident: $("resident").value.trim(), home: $("home").value.trim(),
    kind: $("kind").value, carers: most(stays, end), started_at: iso(start), ended_at: iso(end), outcome, carers_planned: planned,
    staff_s: (staff / 1000).toFixed(1), waiting_s: (waiting(stays, planned) / 1000).toFixed(1),
  });
  state.stays = null;
  $("told").textContent = text("stored");
  draw();
}

// A cell that begins like a formula is text in every spreadsheet.
function cell(value) {
  const plain = /^[=+\-@]/.test(String(value)) ? `'${value}` : String(value);
  return /[",;\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function save() {
  const lines = [COLUMNS, ...state.rows.map((row) => COLUMNS.map((name) => row[name]))];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.map((line) => line.map(cell).join(",")).join("\n")}\n`], { type: "text/csv" }));
  link.download = `time-study-${iso(Date.now()).slice(0, 10)}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

const actions = {
  start() {
    if (!$("about").checkValidity()) { $("told").textContent = text("fill"); return; }
    $("told").textContent = "";
    state.stays = [{ joined: Date.now(), left: null }];
  },
  join() { state.stays.push({ joined: Date.now(), left: null }); },
  leave() { state.stays.findLast((stay) => stay.left === null).left = Date.now(); },
  end() { finish("completed"); },
  fallback() { finish("fallback2"); },
  abort() { finish("aborted"); },
  undo() { state.stays = null; },
  save,
  clear() { if (confirm(text("sure"))) state.rows = []; },
};

function options() {
  const chosen = $("kind").value || state.form.kind || KINDS[0];
  $("kind").replaceChildren(...KINDS.map((kind) => new Option(text(kind), kind, false, kind === chosen)));
}

function draw() {
  const running = state.stays !== null;
  document.documentElement.lang = $("language").value;
  document.title = text("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const id of BUTTONS) $(id).textContent = text(id);
  for (const id of ["start", "clear"]) $(id).disabled = running;
  for (const id of ["join", "end", "fallback", "abort", "undo"]) $(id).disabled = !running;
  $("leave").disabled = present() < 2;
  $("save").disabled = $("clear").disabled = running || !state.rows.length;
  for (const id of ["home", "resident", "kind", "planned"]) $(id).disabled = running;
  $("count").textContent = state.rows.length;
  $("carers").textContent = running ? `${text("here")}: ${present()}` : "";
  $("rows").replaceChildren(...state.rows.toReversed().map((row) => {
    const item = document.createElement("li");
    item.textContent = `${row.started_at.slice(11, 16)} · ${row.resident} · ${text(row.kind)} · ${row.carers} · ${row.staff_s} s · ${text(row.outcome)}`;
    return item;
  }));
  keep();
}

function tick() {
  const seconds = state.stays ? Math.floor((Date.now() - state.stays[0].joined) / 1000) : 0;
  $("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

for (const id of KEPT) if (state.form[id]) $(id).value = state.form[id];
options();
for (const id of BUTTONS) $(id).addEventListener("click", () => { actions[id](); draw(); tick(); });
$("language").addEventListener("change", () => { options(); draw(); });
$("about").addEventListener("input", keep);
$("about").addEventListener("submit", (event) => event.preventDefault());
setInterval(tick, 250);
draw();
