"use strict";
// The table of flights: sorted, filtered, and a page at a time, so that 10,000 rows stay fast.
const data = JSON.parse(document.getElementById("data").textContent);
const ROWS_AT_A_TIME = 100;
const names = data.columns;
const rows = data.rows.map((cells) => ({
  cells,
  text: cells.map((cell) => (cell === null ? "" : String(cell))).join(" ").toLowerCase(),
}));
const body = document.getElementById("flights");
const filter = document.getElementById("filter");
const count = document.getElementById("count");
const more = document.getElementById("more");
let shown = ROWS_AT_A_TIME;
let sorted = { column: -1, down: false };
let matching = rows;

// "failed in_view<0.9 weather=rain": words anywhere in the row, and comparisons with a column.
function test(word) {
  const parts = /^(\w+)(<=|>=|<|>|=)(.+)$/.exec(word);
  const column = parts ? names.indexOf(parts[1]) : -1;
  if (column < 0) return (row) => row.text.includes(word.toLowerCase());
  const [, , sign, value] = parts;
  const number = Number(value);
  return (row) => {
    const cell = row.cells[column];
    if (cell === null) return false;
    if (sign === "=") return String(cell).toLowerCase() === value.toLowerCase();
    if (sign === "<") return cell < number;
    if (sign === ">") return cell > number;
    return sign === "<=" ? cell <= number : cell >= number;
  };
}

function compare(a, b) {
  const [x, y] = [a.cells[sorted.column], b.cells[sorted.column]];
  if (x === null || y === null) return (x === null) - (y === null);
  const order = x < y ? -1 : x > y ? 1 : 0;
  return sorted.down ? -order : order;
}

function update() {
  const tests = filter.value.split(/\s+/).filter(Boolean).map(test);
  matching = rows.filter((row) => tests.every((holds) => holds(row)));
  if (sorted.column >= 0) matching = matching.slice().sort(compare);
  draw();
}

function draw() {
  const fragment = document.createDocumentFragment();
  for (const row of matching.slice(0, shown)) {
    const line = document.createElement("tr");
    row.cells.forEach((cell, column) => {
      const field = document.createElement("td");
      const key = column === 0 ? data.pictures[row.cells[names.indexOf("key")]] : undefined;
      if (key !== undefined) {
        const link = document.createElement("a");
        link.href = "#" + key;
        link.textContent = cell;
        field.append(link);
      } else {
        field.textContent = cell === null ? "–" : cell;
      }
      if (names[column] === "outcome") field.className = cell === "passed" ? "good" : "bad";
      if (typeof cell === "string") field.classList.add("text");
      if (names[column] === "reason") field.classList.add("reason");
      line.append(field);
    });
    fragment.append(line);
  }
  body.replaceChildren(fragment);
  count.textContent = `${matching.length} of ${rows.length} flights`;
  more.hidden = matching.length <= shown;
}

document.querySelectorAll("#head th").forEach((heading, column) => {
  heading.addEventListener("click", () => {
    sorted = { column, down: sorted.column === column && !sorted.down };
    document.querySelectorAll("#head th").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    update();
  });
});
filter.addEventListener("input", () => {
  shown = ROWS_AT_A_TIME;
  update();
});
more.addEventListener("click", () => {
  shown += ROWS_AT_A_TIME;
  draw();
});

// The two draws that differ most between failed and passed flights.
function scatter(canvas) {
  const [x, y] = data.hardest.map((name) => names.indexOf(name));
  const outcome = names.indexOf("outcome");
  const points = rows.map((row) => row.cells).filter((c) => c[x] !== null && c[y] !== null);
  const range = (column) => {
    let [low, high] = [Infinity, -Infinity];
    for (const cells of points) {
      low = Math.min(low, cells[column]);
      high = Math.max(high, cells[column]);
    }
    return [low, high > low ? high : low + 1];
  };
  const [[left, right], [bottom, top]] = [range(x), range(y)];
  const context = canvas.getContext("2d");
  const [width, height, margin] = [canvas.width, canvas.height, 40];
  const place = (cells) => [
    margin + ((cells[x] - left) / (right - left)) * (width - 2 * margin),
    height - margin - ((cells[y] - bottom) / (top - bottom)) * (height - 2 * margin),
  ];
  for (const kind of ["passed", "failed"]) {
    context.fillStyle = kind === "failed" ? "#b3261e" : "rgba(31, 93, 140, 0.35)";
    for (const cells of points.filter((c) => c[outcome] === kind)) {
      context.beginPath();
      context.arc(...place(cells), kind === "failed" ? 4 : 2, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.fillStyle = "#444";
  context.font = "14px sans-serif";
  context.fillText(`${data.hardest[1]}: ${bottom} to ${top}`, margin, 20);
  context.fillText(`${data.hardest[0]}: ${left} to ${right}`, width / 2 - 60, height - 12);
  context.strokeStyle = "#d5d9dc";
  context.strokeRect(margin, margin, width - 2 * margin, height - 2 * margin);
}

const canvas = document.getElementById("scatter");
if (canvas && data.hardest.length === 2) scatter(canvas);
update();
