// The technician's page: polls, and writes text only.

const $ = (id) => document.getElementById(id);
const STATE_MS = 1000;
const TRANSFERS_MS = 15000;
const COLUMNS = {
  started_utc: "Started (UTC)", kind: "Kind", resident: "Resident", carers_planned: "Carers planned", outcome: "Outcome",
  elapsed_s: "Elapsed (s)", staff_s: "Staff (s)", peak_load_kg: "Peak load (kg)",
};

function cell(tag, value, style = "") {
  const element = document.createElement(tag);
  element.textContent = shown(value);
  if (style) element.className = style;
  if (typeof value === "number") element.classList.add("number");
  return element;
}

function shown(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(2);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function table(id, heads, rows, empty) {
  const line = (tag, cells, style = "") => {
    const row = document.createElement("tr");
    row.className = style;
    row.append(...cells.map((value) => cell(tag, value)));
    return row;
  };
  const body = rows.map(({ cells, style }) => line("td", cells, style));
  $(id).replaceChildren(line("th", heads), ...(body.length ? body : [line("td", [empty], "empty")]));
}

const row = (cells, style = "") => ({ cells, style });

function draw(state) {
  const gate = state.gate;
  $("title").textContent = state.site.title;
  document.title = `${state.site.title} · desk`;
  $("health").textContent = state.healthy ? `Answering · ${gate.mode}` : state.troubles.join("; ");
  $("health").className = state.healthy ? "good" : "bad";
  $("build").textContent = gate ? `${gate.version} · configuration ${gate.config_hash}${gate.config_fallback ? " (fallback)" : ""}` : "";
  table("rows", ["Row", "State", "What it says"], state.rows.map((item) =>
    row([item.row, item.latched ? "latched" : "active", item.text], item.latched ? "latched" : "")), "none");
  table("processes", ["Process", "Connected", "State age (s)"], state.processes.map((item) =>
    row([item.name, item.connected, item.age_s], item.connected ? "" : "latched")), "none");
  const recorder = state.recorder;
  table("ledger", ["Ledger", "Says"], recorder ? [
    row(["can write", recorder.healthy ? "yes" : recorder.why], recorder.healthy ? "" : "latched"),
    ...(recorder.warning ? [row(["warning", recorder.warning], "latched")] : []),
    row(["entries, signed", `${recorder.entries}, ${recorder.signed}`]),
    row(["wall clock", recorder.clock]),
  ] : [], "no contact");
  table("slings", ["Sling", "What it says"], state.slings.map((item) => row([item.sling, item.text], "latched")), "none is due");
  table("upkeep", ["", "Done", "Next", "What it says"], state.upkeep.map((item) => row([item.title, item.passed === false ? `${item.done}, not passed` : item.done,
    [item.due, item.cycles && `${item.cycles} lifts`].filter(Boolean).join(" or at "), item.text], item.notice.endsWith("_overdue") ? "latched" : "")), "not on record");
  afar(state.support);
  if (state.support_refused) $("refused").textContent = state.support_refused;
  if (!gate) return;
  table("motions", ["Motion", "May start", "Docking only", "Refused by"], Object.entries(gate.motions).map(
    ([name, item]) => row([name, item.allowed, item.docking, item.rows.join(", ")])), "none");
  table("signals", ["Signal", "Value", "Quality"], Object.entries(gate.values).map(
    ([name, value]) => row([name, value, gate.quality[name] ?? "fresh"], name in gate.quality ? "latched" : "")), "none");
  table("devices", ["Device", "Name", "Value"], Object.entries(gate.devices).flatMap(
    ([device, values]) => Object.entries(values).map(([name, value]) => row([device, name, value]))), "none");
  const counters = [...Object.entries(gate.counters), ...Object.entries(gate.ages_ms).map(([k, v]) => [`age of ${k} (ms)`, v])];
  table("counters", ["Counter", "Value"], counters.map((item) => row(item)), "none");
}

let asked = "", which = {};

/** A request to look, or a bundle that would leave: the office may answer both. */
function question(said) {
  const what = said?.bundle ? "bundle" : said?.request ? "support" : "";
  const text = what === "bundle" ? `May this log bundle be sent? ${said.bundle.contents.map(([name, bytes]) => `${name} (${bytes} bytes)`).join(", ")}`
    : what ? `${said.request.who} asks for ${said.request.minutes} minutes of ${said.request.wants.join(", ")}: ${said.request.reason}` : "";
  if (text !== $("question").textContent) $("question").textContent = text;
  $("answer").hidden = !what;
  $("long").hidden = what !== "support";
  asked = what;
  which = what === "bundle" ? { sha256: said.bundle.sha256 } : what ? { order: said.request.id } : {};
}

async function answer(action) {
  const body = JSON.stringify({ action, name: $("who").value.trim(), minutes: $("minutes").value, ...which });
  const got = await fetch("/api/support", { method: "POST", body });
  $("refused").textContent = got.ok ? "" : (await got.json()).detail;
}

$("yes").addEventListener("click", () => answer(`${asked}_yes`));
$("no").addEventListener("click", () => answer(`${asked}_no`));
$("answer").addEventListener("submit", (event) => event.preventDefault());
document.querySelector("[data-answer]").addEventListener("click", () => answer("support_end"));

/** What the room is asked, what it granted, and what is on trial. */
function afar(said) {
  $("support").hidden = !said;
  $("banner").hidden = !said?.grant;
  if (!said) return;
  const minutes = (part) => Math.ceil(part.left_s / 60);
  question(said);
  if (said.grant) $("banner_text").textContent = `Support is active: ${said.grant.who}, ${minutes(said.grant)} min left`;
  const rows = [["centre heard (s ago)", said.heard_s], ["request", said.request && `${said.request.who}: ${said.request.reason}`],
    ["grant", said.grant && `${said.grant.who}: ${said.grant.wants.join(", ")}${said.grant.live ? ", looking now" : ""}`],
    ["bundle offered", said.bundle?.sha256], ["guide", said.guide && `${said.guide.script}, ${said.guide.step} of ${said.guide.of}`],
    ["proposal", said.proposal && `version ${said.proposal.version}: ${said.proposal.changes.map((item) => item.join(" ")).join("; ")}`],
    ["on trial", said.trial && `version ${said.trial.version}, ${minutes(said.trial)} min left`], ["may be set now", said.idle || "yes"]];
  table("afar", ["What", "Now"], rows.filter(([, value]) => value !== null && value !== undefined).map((item) => row(item)), "nothing");
}

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function every(ms, task) {
  try {
    await task();
  } catch (error) {
    $("health").textContent = `No contact with the desk process (${error.message})`;
    $("health").className = "bad";
  }
  setTimeout(every, ms, ms, task);
}

every(STATE_MS, async () => draw(await get("/api/state")));
every(TRANSFERS_MS, async () => {
  const found = await get("/api/transfers?limit=100");
  const keys = Object.keys(COLUMNS);
  table("transfers", Object.values(COLUMNS), found.map((item) => row(keys.map((key) => item[key]))), "no transfers yet");
});
