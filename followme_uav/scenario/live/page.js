"use strict";
// Asks for the state of the run once a second, and shows it. The state has a bounded size.
const PERIOD_MS = 1000;
const DEADLINE_MS = 5000;
const GONE_AFTER = 3; // replies that are missing in a row
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const STAGES = { flying: "flying", writing: "writing results and report", ended: "ended" };
const at = (id) => document.getElementById(id);
const shown = new Map();
let last = null;
let missing = 0;

function duration(seconds) {
  if (seconds === null) return "–";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours} h ${String(minutes).padStart(2, "0")} min` : `${minutes} min`;
}

const share = (i) => `${i.value.toFixed(3)} (${i.low.toFixed(3)} to ${i.high.toFixed(3)})`;

function text(id, content) {
  if (at(id).textContent !== content) at(id).textContent = content;
}

function cell(content, kind) {
  const field = document.createElement("td");
  field.className = kind;
  if (content instanceof Node) field.append(content);
  else field.textContent = content;
  return field;
}

// Draws the rows of a table again only where they differ, so that a selected text stays.
function table(id, rows, empty) {
  const key = JSON.stringify(rows.map((row) => row.map(([content]) => String(content))));
  if (shown.get(id) === key) return;
  shown.set(id, key);
  const lines = rows.map((row) => {
    const line = document.createElement("tr");
    line.append(...row.map(([content, kind]) => cell(content, kind ?? "")));
    return line;
  });
  if (!lines.length) {
    const line = document.createElement("tr");
    line.append(cell(empty, "none"));
    line.firstChild.colSpan = at(id).parentElement.querySelectorAll("th").length;
    lines.push(line);
  }
  at(id).replaceChildren(...lines);
}

function part(name, values) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) element.setAttribute(key, value);
  return element;
}

function picture(i, start) {
  const inside = (share) => 6 + ((share - start) / (1 - start)) * (WIDTH - 12);
  const drawing = part("svg", { viewBox: `0 0 ${WIDTH} 14`, role: "img", "aria-label": share(i) });
  drawing.append(
    part("rect", { x: 0, y: 6, width: WIDTH, height: 2 }),
    part("line", { x1: inside(i.low), x2: inside(i.high), y1: 7, y2: 7 }),
    part("circle", { cx: inside(i.value), cy: 7, r: 4 }),
  );
  return drawing;
}

function flights(id, ended, empty) {
  const rows = ended.map((flight) => [
    [flight.scenario, "text"],
    [flight.seed],
    [flight.variant, "text variant"],
    [`${duration(flight.ago_s)} ago`],
    [flight.reason, "reason"],
  ]);
  table(id, rows, empty);
}

function show(state) {
  document.title = `${state.done} of ${state.flights}: ${state.run}`;
  text("run", state.run);
  text("stage", STAGES[state.stage]);
  at("stage").className = `pill ${state.stage}`;
  at("report").hidden = !state.has_report;
  for (const outcome of ["passed", "failed", "crashed"]) {
    at("bar").querySelector(`.${outcome}`).style.width =
      `${(100 * state[outcome]) / Math.max(state.flights, 1)}%`;
  }
  text("done", `${state.done} of ${state.flights}`);
  text("share", state.passed + state.failed ? share(state.success) : "–");
  const kind = state.stops_early ? "confidence sequence" : "Wilson’s interval";
  text("share-name", `as expected (${state.passed}), ${kind} of 95 %`);
  text("failed", String(state.failed));
  text("crashed", String(state.crashed));
  text("rate", state.per_hour === null ? "–" : state.per_hour.toFixed(state.per_hour < 10 ? 1 : 0));
  text("left", duration(state.left_s));
  text("left-name", state.stops_early ? "left at most" : "left");
  text("elapsed", duration(state.elapsed_s));
  text("before", state.before ? `${state.before} flights were finished before this run.` : "");
  text("running-count", state.running_count ? `${state.running_count} flights` : "");
  const running = state.running.map((flight) => [
    [flight.scenario, "text"],
    [flight.seed],
    [flight.variant, "text variant"],
    [duration(flight.for_s)],
    [flight.attempt],
  ]);
  at("flying-now").hidden = state.stage !== "flying";
  at("crashed-flights").hidden = !state.crashed;
  const listed = [...state.running, ...state.failures, ...state.crashes];
  const variants = listed.some((flight) => flight.variant);
  document.body.classList.toggle("without-variants", !variants);
  table("running", running, "no flight is under way");
  const lowest = Math.min(...state.axes.map((row) => row.success.low), 0.9);
  const start = Math.floor(10 * lowest) / 10;
  text("scale-low", String(start));
  const axes = state.axes.map((row, number) => {
    const first = row.axis !== state.axes[number - 1]?.axis;
    const kind = first ? "new" : "";
    return [
      [first ? row.axis : "", `text ${kind}`],
      [row.value, `text ${kind}`],
      [row.flights, kind],
      [row.passed, kind],
      [share(row.success), kind],
      [picture(row.success, start), kind],
    ];
  });
  table("axes", axes, "all flights have the same conditions so far");
  const left = state.values_left_out;
  const note = left ? `${left} more values have the same share or a higher one. ` : "";
  const early = "Short flights end first, so the shares are preliminary.";
  text("axes-note", note + (state.stage === "flying" ? early : ""));
  const of = (kind, count) => (count > kind.length ? `the last ${kind.length} of ${count}` : "");
  text("failures-count", of(state.failures, state.failed));
  text("crashes-count", of(state.crashes, state.crashed));
  flights("failures", state.failures, "none");
  flights("crashes", state.crashes, "none");
}

function tell(message, plain) {
  at("notice").hidden = !message;
  at("notice").classList.toggle("plain", plain);
  text("notice", message);
}

function showGone() {
  const time = new Date().toLocaleTimeString();
  text("stage", "no connection");
  at("stage").className = "pill gone";
  at("report").hidden = true; // the link would lead nowhere
  if (last?.stage === "ended") {
    text("stage", "ended");
    at("stage").className = "pill ended";
    tell("The command has ended. The results are in the folder of the run.", true);
  } else if (at("notice").hidden) {
    tell(
      `Since ${time} the server does not answer: the run was interrupted, or has ended. ` +
        "Finished flights are kept; the same command continues the run.",
      false,
    );
  }
}

async function update() {
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const reply = await fetch("state.json", { cache: "no-store", signal });
    if (!reply.ok) throw new Error(reply.statusText);
    last = await reply.json();
    missing = 0;
    tell("", false);
    show(last);
  } catch {
    missing += 1;
    if (missing >= GONE_AFTER) showGone();
  }
  setTimeout(update, PERIOD_MS);
}

update();
