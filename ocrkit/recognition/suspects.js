// Decisions on suspect labels: kept in the page and, where the browser allows it, over a reload; saved as a CSV file.
const {file, columns, rows} = JSON.parse(document.getElementById("suspects").textContent);
const lines = [...document.querySelectorAll(".suspects tbody tr")];
const place = name => columns.indexOf(name);
const [ID, DECISION, NEW] = ["id", "decision", "new_label"].map(place);
const READING = place("reading");
const save = document.getElementById("save"), progress = document.getElementById("progress");
const memory = "ocrkit suspects " + location.pathname;
let decisions = new Map(), saved = true, current = 0;

const field = number => lines[number].querySelector("input");
const decided = number => {
  const decision = decisions.get(rows[number][ID]);
  return decision && (decision[0] !== "fix" || decision[1].trim()) ? decision : null;
};

// The same crop may stand in several rows, which are then decided together.
const alike = number => lines.map((_, other) => other).filter(other => rows[other][ID] === rows[number][ID]);

function show(number) {
  const [decision, label] = decisions.get(rows[number][ID]) ?? ["", ""];
  for (const button of lines[number].querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(button.dataset.decide === decision));
  field(number).hidden = decision !== "fix";
  if (document.activeElement !== field(number)) field(number).value = label;
  if (decided(number)) lines[number].dataset.decision = decision; else delete lines[number].dataset.decision;
}

function tell() {
  const count = rows.filter((row, number) => decided(number)).length;
  const empty = rows.filter((row, number) => decisions.has(row[ID]) && !decided(number)).length;
  progress.textContent = `${count} of ${rows.length} decided` + (empty ? `, ${empty} to fix without a text yet` : "")
    + (count && saved ? ", saved" : "");
  save.disabled = !count;
}

function remember() {
  saved = false;
  try { localStorage.setItem(memory, JSON.stringify([...decisions])); } catch { /* a page may be denied a memory */ }
  tell();
}

function move(to) {
  current = Math.max(0, Math.min(rows.length - 1, to));
  lines.forEach((line, number) => { line.tabIndex = number === current ? 0 : -1; });
  lines[current]?.focus();
}

function decide(number, decision) {
  current = number;
  if (decision === "fix") {
    decisions.set(rows[number][ID], ["fix", decisions.get(rows[number][ID])?.[1] || rows[number][READING]]);
    alike(number).forEach(show);
    remember();
    field(number).focus();
    field(number).select();
    return;
  }
  if (decision) decisions.set(rows[number][ID], [decision, ""]); else decisions.delete(rows[number][ID]);
  alike(number).forEach(show);
  remember();
  move(decision ? number + 1 : number);
}

function table() {
  const quoted = text => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const chosen = rows.flatMap((row, number) => {
    const decision = decided(number);
    return decision ? [row.map((text, column) =>
      column === DECISION ? decision[0] : column === NEW ? decision[1].trim() : text)] : [];
  });
  return "\ufeff" + [columns, ...chosen].map(row => row.map(quoted).join(",") + "\r\n").join("");
}

lines.forEach((line, number) => {
  line.addEventListener("focusin", () => { current = number; });
  for (const button of line.querySelectorAll("button"))
    button.addEventListener("click", () => decide(number, button.dataset.decide));
  field(number).addEventListener("input", event => {
    decisions.set(rows[number][ID], ["fix", event.target.value]);
    alike(number).forEach(show);
    remember();
  });
});

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || !rows.length) return;
  const typing = event.target instanceof HTMLInputElement;
  const moves = {ArrowDown: 1, ArrowUp: -1}, keys = {k: "keep", f: "fix", d: "drop", u: ""};
  if (typing && event.key === "Enter") move(current + 1);
  else if (typing && event.key === "Escape") move(current);
  else if (event.key in moves) move(current + moves[event.key]);
  else if (!typing && event.key in keys) decide(current, keys[event.key]);
  else return;
  event.preventDefault();
});

save.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table()], {type: "text/csv"}));
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  saved = true;
  tell();
});

addEventListener("beforeunload", event => { if (!saved) event.preventDefault(); });

try {
  const known = new Set(rows.map(row => row[ID]));
  const kept = JSON.parse(localStorage.getItem(memory) ?? "[]").filter(([id]) => known.has(id));
  decisions = new Map(kept);
  saved = !kept.length;
} catch { /* nothing was kept */ }
rows.forEach((row, number) => show(number));
tell();
if (rows.length) move(0);
