// The frame of every task, in a notebook and on the page: it asks for tasks through `model`, shows them by the interface
// that their template names, and sends answers. Whatever comes from outside is set as text, never as HTML.
const interfaces = {};

function make(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// Each answer has a key of its own: sent again because the reply was lost, it is kept once.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function bitmap(buffer) {
  const bytes = buffer instanceof DataView ? buffer : new Uint8Array(buffer);
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

// A picture on a canvas, as large as fits, with the name of who looks at it across.
function paint(canvas, image, worker, scale) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(image.width * scale * ratio);
  canvas.height = Math.round(image.height * scale * ratio);
  canvas.style.width = `${Math.round(image.width * scale)}px`;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  if (!worker) return;
  context.save();
  context.font = `${13 * ratio}px sans-serif`;
  context.fillStyle = "rgba(120, 120, 120, 0.3)";
  context.textAlign = "center";
  context.translate(canvas.width / 2, canvas.height / 2); // of the smallest picture, too, one name crosses the middle
  context.rotate(-0.25);
  const reach = Math.hypot(canvas.width, canvas.height) / 2, across = context.measureText(worker).width + 60 * ratio;
  for (let row = -Math.ceil(reach / (56 * ratio)); row * 56 * ratio <= reach; row += 1)
    for (let place = -Math.ceil(reach / across); place * across <= reach; place += 1)
      context.fillText(worker, (place + (row % 2) / 2) * across, (row * 56 + 5) * ratio);
  context.restore();
}

function keyName(number) {
  return make("kbd", {}, String(number));
}

// Buttons for the choices of a template, which keys 1 to 9 press.
function choiceButtons(choices, choose) {
  return choices.map((choice, index) =>
    make("button", { type: "button", class: "choice", onclick: () => choose(choice.name) },
      keyName(index + 1), ` ${choice.label}`));
}

function curve(errors) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 120 40");
  svg.setAttribute("role", "img");
  let found = 0;
  const sums = errors.map((wrong) => (found += wrong));
  svg.setAttribute("aria-label", `${found} of our readings were wrong among ${errors.length} words`);
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  const most = Math.max(found, 1);
  line.setAttribute("points", [[0, 0], ...sums.map((sum, i) => [i + 1, sum])]
    .map(([x, y]) => `${2 + (x / Math.max(errors.length, 1)) * 116},${38 - (y / most) * 36}`).join(" "));
  svg.append(line);
  return [svg, found];
}

function render({ model, el }) {
  const times = [];
  let shown = null, began = 0, pending = null, current = null;

  const head = make("div", { class: "head" });
  const title = make("h2");
  const help = make("details", { class: "help" }, make("summary", {}, "How to answer"));
  const card = make("div", { class: "card" });
  const note = make("p", { class: "note", role: "alert" });
  const foot = make("div", { class: "foot", "aria-live": "off" });
  const speed = make("span"), state = make("span"), graph = make("span", { class: "graph" });
  const undo = make("button", { type: "button", class: "quiet", onclick: () => ask({ kind: "undo" }) }, "Undo ",
    make("kbd", {}, "Ctrl Z"));
  foot.append(speed, state, graph, undo);
  head.append(title, help);
  const root = make("section", { class: "ocrkit-tasks", tabIndex: -1 }, head, card, note, foot);
  el.replaceChildren(root);

  function say(sentence, bad = true) {
    note.textContent = sentence;
    note.classList.toggle("bad", bad);
  }

  function ask(message) {
    pending = message;
    root.classList.add("waiting");
    model.send(message);
  }

  function answer(value) {
    if (pending || !current) return;
    say("");
    ask({ kind: "answer", task: current.task, value, seconds: (performance.now() - began) / 1000, key: newKey() });
  }

  function close() {
    shown?.close?.();
    shown = null;
    current = null;
  }

  async function showTask(message, buffers) {
    close();
    const { template } = message;
    title.textContent = template.title;
    const examples = template.examples.map((example) =>
      make("li", {}, make("code", {}, example.shown), " → ", make("code", {}, example.answer), example.why ? `: ${example.why}` : ""));
    const open = help.open;
    help.replaceChildren(make("summary", {}, "How to answer"), make("p", {}, template.instructions),
      ...(examples.length ? [make("ul", {}, ...examples)] : []), interfaces[template.interface].help(template));
    help.open = open;
    help.hidden = false;
    let image;
    try {
      image = await bitmap(buffers[0]);
    } catch {
      card.replaceChildren();
      say("The picture of this task is missing or broken: please tell who invited you.");
      return;
    }
    current = message;
    shown = interfaces[template.interface].show({ card, image, message, answer, root, say });
    began = performance.now();
  }

  function showStats(message) {
    const share = (value) => (value === null ? "–" : `${Math.round(100 * value)} %`);
    state.textContent = `${message.done} of ${message.tasks} done · agreement ${share(message.agreement)}`;
    const [svg, found] = curve(message.errors);
    graph.replaceChildren(...(found ? [svg] : []), ` ${found} of our readings were wrong`);
    graph.hidden = !message.errors.length;
  }

  function count() {
    times.push(performance.now());
    const last = times.slice(-50);
    if (last.length > 1) {
      const hours = (last[last.length - 1] - last[0]) / 3.6e6;
      speed.textContent = `${Math.round((last.length - 1) / hours).toLocaleString("en")} words an hour`;
    }
  }

  model.on("msg:custom", async (message, buffers) => {
    if (message.kind === "stats") return showStats(message);
    const asked = pending;
    pending = null;
    root.classList.remove("waiting");
    if (message.kind === "task" || message.kind === "done") {
      if (asked?.kind === "answer") count();
      if (times.length % 10 === 0 || message.kind === "done") model.send({ kind: "stats" });
    }
    if (message.kind === "task") await showTask(message, buffers);
    else if (message.kind === "done") {
      close();
      title.textContent = "All done";
      help.hidden = true;
      card.replaceChildren(...[make("p", {}, "There is nothing left for you in this job. Thank you."),
        message.url ? make("p", {}, make("a", { href: message.url }, "Go back to the study")) : null].filter(Boolean));
      root.focus();
    } else if (message.kind === "mend") {
      say(message.sentence);
      shown?.focus?.();
    } else if (message.kind === "over") {
      say(message.sentence, false);
      ask({ kind: "task" });
    } else if (message.kind === "failed") {
      // The answer is kept here, with its key, until the server has it.
      say(message.sentence);
      pending = asked;
      setTimeout(() => pending === asked && ask(asked), 2000);
    } else {
      close();
      card.replaceChildren();
      say(message.sentence);
    }
  });

  root.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && event.target.tagName !== "INPUT") {
      event.preventDefault();
      if (!pending) ask({ kind: "undo" });
    } else if (!pending) shown?.key?.(event);
    event.stopPropagation(); // JupyterLab has keys of its own
  });
  ask({ kind: "task" });
}
