// Shows what the service says, and never anything as HTML: every text goes in as text.
const at = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const STATES = {queued: "wait", reading: "are being read", done: "done", dead: "could not be read"};
const FORMS = {pdf: "searchable PDF", text: "text", json: "JSON", hocr: "hOCR", alto: "ALTO"};

function make(tag, values = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside);
  return made;
}

function draw(tag, values, text) {
  const drawn = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(values)) drawn.setAttribute(name, value);
  if (text !== undefined) drawn.textContent = text;
  return drawn;
}

let quiet;
function say(sentence, long = false) {
  at("said").textContent = sentence;
  clearTimeout(quiet);
  quiet = setTimeout(() => at("said").textContent = "", long ? 8000 : 3500);
}

async function ask(path, options) {
  let answer;
  try { answer = await fetch(path, options) } catch { throw new Error("The service does not answer.") }
  if (answer.status === 401) location.reload();
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const failure = new Error((await answer.json().catch(() => ({}))).error || `The service answered ${answer.status}.`);
  failure.status = answer.status;
  failure.wait = Number(answer.headers.get("Retry-After"));
  throw failure;
}

// Handing in, a few at a time; where the service says so, later.

const waiting = [];
let sending = 0;

function take(files) {
  waiting.push(...files);
  for (let n = sending; n < 3; n++) send();
}

async function send() {
  const file = waiting.shift();
  if (!file) return;
  sending++;
  const asked = new URLSearchParams({name: file.name});
  if (at("all").checked) asked.set("all_pages", "true");
  try {
    await ask(`documents?${asked}`, {method: "POST", body: file});
    say(`${file.name} was handed in.`);
  } catch (failure) {
    if (failure.status === 429) {
      say(`The service asks to wait ${failure.wait} s.`);
      waiting.unshift(file);
      await new Promise(done => setTimeout(done, 1000 * failure.wait));
    } else say(`${file.name}: ${failure.message}`, true);
  }
  sending--;
  look();
  send();
}

at("files").addEventListener("change", event => { take(event.target.files); event.target.value = "" });
for (const kind of ["dragenter", "dragover"])
  addEventListener(kind, event => { event.preventDefault(); at("drop").classList.add("over") });
addEventListener("dragleave", event => { if (!event.relatedTarget) at("drop").classList.remove("over") });
addEventListener("drop", event => {
  event.preventDefault();
  at("drop").classList.remove("over");
  take(event.dataTransfer.files);
});

// Documents, the newest first, as they move.

let timer, shown = "";
async function look() {
  clearTimeout(timer);
  let wait = 5000;
  if (!document.hidden) {
    try {
      const told = await ask("documents?limit=50");
      const text = JSON.stringify(told);
      if (text !== shown) { showDocuments(told); shown = text }
      if (told.counts.queued || told.counts.reading) wait = 700;
      at("problem").hidden = true;
    } catch (failure) {
      at("problem").hidden = false;
      at("problem").textContent = failure.message;
    }
  }
  timer = setTimeout(look, wait);
}
document.addEventListener("visibilitychange", look);

function showDocuments({counts, jails, documents}) {
  const reading = documents.filter(one => one.state === "reading");
  at("jails").replaceChildren(...Array.from({length: jails}, (_, number) => {
    const one = reading.find(document => document.jail === number + 1);
    const doing = one ? `reads ${one.name}` : "waits";
    return make("div", {class: one ? "jail reads" : "jail"}, make("b", {}, `Jail ${number + 1}`),
      make("span", {title: doing}, doing), make("span", {}, one && one.page ? `${pages(one.page)} read` : ""));
  }));
  const all = Object.values(counts).reduce((a, b) => a + b, 0);
  at("bar").replaceChildren(...Object.keys(STATES).map(state => {
    const part = make("i", {class: state});
    part.style.flexGrow = counts[state];
    return part;
  }));
  const told = Object.entries(STATES).filter(([state]) => counts[state]);
  at("counts").replaceChildren(...told.map(([state, doing]) =>
    make("span", {}, make("i", {class: state}), `${counts[state].toLocaleString("en")} ${doing}`)));
  at("bar").setAttribute("aria-label", told.map(([state, doing]) => `${counts[state]} ${doing}`).join(", "));
  at("empty").hidden = all > 0;
  const focus = document.activeElement?.dataset?.key;
  at("documents").replaceChildren(...documents.map(row));
  if (focus) at("documents").querySelector(`[data-key="${focus}"]`)?.focus();
}

const pages = count => `${count} ${count === 1 ? "page" : "pages"}`;

function row(one) {
  const done = one.state === "done";
  const title = done ? make("a", {href: `#d/${one.id}`, "data-key": `${one.id}-open`}, one.name) : one.name;
  const acts = make("span", {class: "acts"});
  if (done) acts.append(make("a", {href: `documents/${one.id}/pdf`, download: true, "data-key": `${one.id}-pdf`}, "PDF"));
  if (one.state === "dead") acts.append(button(one, "retry", "Try again", () => ask(`documents/${one.id}/retry`, {method: "POST"}).then(look)));
  acts.append(button(one, "forget", "Forget", () => forget(one)));
  return make("li", {}, make("i", {class: one.state}), make("span", {class: "title", title: one.name}, title),
    make("span", {class: "state"}, doing(one)), acts);
}

function button(one, key, says, act) {
  const failed = failure => say(failure.message, true);
  return make("button", {class: "small", "data-key": `${one.id}-${key}`, "aria-label": `${says}: ${one.name}`,
    onclick: () => act()?.catch?.(failed)}, says);
}

function doing(one) {
  if (one.state === "done") return `${pages(one.pages)}, ${one.seconds.toFixed(1)} s, ${one.model.name}${one.reason && `. ${one.reason}`}`;
  if (one.state === "reading") return `being read by jail ${one.jail}` + (one.page ? `, ${pages(one.page)} read` : "");
  if (one.state === "dead") return `could not be read: ${one.reason}`;
  return one.reason ? `waits for try ${one.tries + 1}: ${one.reason}` : "waits";
}

function forget(one) {
  at("sure-name").textContent = one.name;
  at("sure").returnValue = "no";
  at("sure").onclose = async () => {
    if (at("sure").returnValue !== "yes") return;
    try {
      await ask(`documents/${one.id}`, {method: "DELETE"});
      say(`${one.name} is forgotten.`);
      if (location.hash.includes(one.id)) location.hash = "";
    } catch (failure) { say(failure.message, true) }
    look();
  };
  at("sure").showModal();
}

// Searching: each hit is drawn on its page.

at("search").addEventListener("submit", event => {
  event.preventDefault();
  location.hash = at("q").value.trim() ? `s/${encodeURIComponent(at("q").value)}` : "";
});

async function search(asked, before) {
  const query = new URLSearchParams({q: asked, limit: 10});
  if (before) query.set("before", before);
  else at("found").textContent = "Searching …";
  try {
    const found = await ask(`search?${query}`);
    if (!before) at("hits").replaceChildren();
    at("hits").append(...found.hits.map(hit => hitRow(hit, asked)));
    const instead = Object.values(found.instead).flat();
    const near = instead.length ? ` Searched for words that may be misread, too: ${[...new Set(instead)].join(", ")}.` : "";
    const count = `${found.more ? "More than " : ""}${found.total.toLocaleString("en")} ${found.total === 1 ? "page" : "pages"}`;
    at("found").textContent = found.total ? `${count} in ${Math.max(1, Math.round(1000 * found.seconds))} ms.${near}`
      : "No page says this.";
    at("more").hidden = found.next === null;
    at("more").onclick = () => search(asked, found.next);
  } catch (failure) {
    at("hits").replaceChildren();
    at("found").textContent = failure.message;
    at("more").hidden = true;
  }
}

function hitRow(hit, asked) {
  const link = `#d/${hit.document}/${hit.number}/${encodeURIComponent(asked)}`;
  const sheet = picture(hit.document, hit);
  const top = Math.min(...hit.words.map(word => word.box[1]));
  const height = Math.min(hit.height, 1.2 * hit.width);
  const from = Math.max(0, Math.min(hit.height - height, top - height / 3));
  sheet.setAttribute("viewBox", `0 ${from} ${hit.width} ${height}`);
  for (const word of hit.words) sheet.append(marked(word.box));
  const snippet = make("p", {});
  hit.snippet.forEach(([word, asked]) => snippet.append(asked ? make("mark", {}, word) : word, " "));
  return make("li", {}, make("a", {class: "thumb", href: link, "aria-label": `Page ${hit.number} of ${hit.name}`}, sheet),
    make("p", {}, make("a", {href: link}, hit.name || hit.document)),
    make("p", {}, make("small", {}, `page ${hit.number}, ${new Date(1000 * hit.added).toLocaleDateString("en-GB", {day: "numeric", month: "short", year: "numeric"})}`)), snippet);
}

function picture(document, page) {
  const sheet = draw("svg", {viewBox: `0 0 ${page.width} ${page.height}`, role: "img", "aria-label": `Page ${page.number}`});
  sheet.append(draw("image", {href: `documents/${document}/pages/${page.number}/picture`, width: page.width, height: page.height,
    preserveAspectRatio: "none"}));
  return sheet;
}

function marked([x0, y0, x1, y1]) {
  const rim = 0.15 * (y1 - y0);
  return draw("rect", {class: "hit", x: x0 - rim, y: y0 - rim, width: x1 - x0 + 2 * rim, height: y1 - y0 + 2 * rim});
}

// A document, its words over their ink.

let open = null;
async function showDocument(id, number, asked) {
  try {
    const one = await ask(`documents/${id}`);
    if (one.state !== "done") { location.hash = ""; return }
    open = {id, number, count: one.pages, asked};
    at("name").textContent = one.name;
    const version = one.model.version === null ? "" : `, version ${one.model.version}`;
    at("facts").textContent = `${pages(one.pages)}, read in ${one.seconds.toFixed(1)} s by ${one.model.name}${version}. ${one.reason}`;
    at("downloads").replaceChildren(...Object.entries(FORMS).map(([form, name]) =>
      make("a", {href: `documents/${id}/${form}`, download: true}, name)), button(one, "forget", "Forget", () => forget(one)));
    at("back").href = asked ? `#s/${encodeURIComponent(asked)}` : "#";
    at("back").textContent = asked ? "← Search results" : "← All documents";
    at("pages").replaceChildren(...Array.from({length: one.pages > 1 ? one.pages : 0}, (_, page) => make("button",
      {class: "small", "aria-current": page + 1 === number && "page", "aria-label": `Page ${page + 1}`,
       onclick: () => turn(page + 1)}, page + 1)));
    const page = await ask(`documents/${id}/pages/${number}`);
    const sheet = picture(id, page);
    if (page.error) at("facts").textContent += ` ${page.error}`;
    if (asked) {
      const found = await ask(`search?${new URLSearchParams({q: asked, document: id, limit: 100})}`);
      for (const hit of found.hits.filter(hit => hit.number === number))
        sheet.append(...hit.words.map(word => marked(word.box)));
    }
    for (const line of page.lines) for (const word of line.words) written(sheet, word);
    at("sheet").replaceChildren(sheet);
    boxes();
    sheet.querySelector(".hit")?.scrollIntoView({block: "center"});
  } catch (failure) { say(failure.message, true) }
}

function written(sheet, word) {
  const [x0, y0, x1, y1] = word.box;
  const kind = word.doubtful || word.confidence < 0.6 ? "box unsure" : "box";
  const box = draw("rect", {class: kind, x: x0, y: y0, width: x1 - x0, height: y1 - y0});
  const [[left, top], [right, rightTop], , [, bottom]] = word.quad;
  const long = Math.hypot(right - left, rightTop - top), angle = Math.atan2(rightTop - top, right - left) * 180 / Math.PI;
  const high = Math.max(1, Math.hypot(word.quad[3][0] - left, bottom - top));
  const text = draw("text", {x: 0, y: 0.8 * high, "font-size": high, textLength: Math.max(1, long), lengthAdjust: "spacingAndGlyphs",
    transform: `translate(${left} ${top}) rotate(${angle})`}, word.text);
  text.append(draw("title", {}, `${word.text} (${Math.round(100 * word.confidence)} %)`));
  sheet.append(box, text);
}

function boxes() { for (const box of at("sheet").querySelectorAll(".box")) box.style.display = at("boxes").checked ? "" : "none" }
at("boxes").addEventListener("change", boxes);

function turn(number) {
  if (!open || number < 1 || number > open.count) return;
  location.hash = `d/${open.id}/${number}${open.asked ? `/${encodeURIComponent(open.asked)}` : ""}`;
}
addEventListener("keydown", event => {
  if (at("document").hidden || event.target.matches("input") || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "ArrowRight") turn(open.number + 1);
  if (event.key === "ArrowLeft") turn(open.number - 1);
});

// The address says what is shown, so that going back works.

function route() {
  const [view, first, number, asked] = location.hash.slice(1).split("/").map(decodeURIComponent);
  at("home").hidden = view === "s" || view === "d";
  at("results").hidden = view !== "s";
  at("document").hidden = view !== "d";
  if (view === "s") { at("q").value = first; search(first) }
  if (view === "d") showDocument(first, Number(number) || 1, asked);
}
addEventListener("hashchange", route);
route();
look();
