// A page and a box with a text for each of its words. Tab goes from box to box, arrows move the chosen one, with Shift
// they move its far corner; a drag draws a new one; Ctrl Enter is done.
interfaces.boxes = {
  help: () => make("ul", { class: "keys" },
    make("li", {}, make("kbd", {}, "Enter"), " next box, ", make("kbd", {}, "Shift Enter"), " the one before"),
    make("li", {}, make("kbd", {}, "Alt ←↑→↓"), " move the box, with ", make("kbd", {}, "Shift"), " its lower right corner"),
    make("li", {}, make("kbd", {}, "Alt N"), " a new box, or draw one with the mouse; ", make("kbd", {}, "Alt Delete"), " delete it"),
    make("li", {}, make("kbd", {}, "Ctrl Enter"), " all words of the page are marked")),

  show({ card, image, message, answer, say }) {
    const scaleOfPage = message.content.scale || 1;
    const boxes = (message.content.boxes || []).map(({ box, text }) => ({ box: [...box], text }));
    const canvas = make("canvas", { role: "img", "aria-label": "the page with a box around each word" });
    const field = make("input", { type: "text", spellcheck: false, autocomplete: "off", name: "text", "aria-label": "text of the chosen box", maxLength: message.template.longest });
    const where = make("span", { class: "where", role: "status" });
    const close = make("canvas", { class: "close", role: "img", "aria-label": "the chosen word" });
    const inPage = (box) => box.map((side) => Math.round((side / scaleOfPage) * 10) / 10);
    const send = () => answer({ boxes: boxes.map(({ box, text }) => ({ box: inPage(box), text })) });
    const done = make("button", { type: "button", class: "main", onclick: send }, "Page is done ", make("kbd", {}, "Ctrl Enter"));
    const remove = make("button", { type: "button", class: "quiet", onclick: () => drop() }, "Delete box");
    card.replaceChildren(make("div", { class: "bar" }, close, field, where, remove, done), make("div", { class: "picture page" }, canvas));
    let chosen = boxes.length ? 0 : -1, drawn = null;
    const scale = Math.min(2, Math.max(200, card.clientWidth - 40) / image.width);
    const ratio = window.devicePixelRatio || 1;

    function draw() {
      paint(canvas, image, message.watermark, scale);
      const context = canvas.getContext("2d");
      const zoom = scale * ratio;
      [...boxes, ...(drawn ? [{ box: drawn }] : [])].forEach(({ box: [x0, y0, x1, y1] }, index) => {
        context.lineWidth = (index === chosen ? 3 : 1.5) * ratio;
        context.strokeStyle = index === chosen ? "#d1480c" : "#0b57a4";
        context.strokeRect(x0 * zoom, y0 * zoom, (x1 - x0) * zoom, (y1 - y0) * zoom);
      });
      where.textContent = chosen < 0 ? "no box" : `box ${chosen + 1} of ${boxes.length}`;
      field.disabled = chosen < 0;
      if (chosen < 0) return;
      const [x0, y0, x1, y1] = boxes[chosen].box;
      close.height = 48 * ratio;
      close.width = Math.max(1, Math.min(320, ((x1 - x0) / (y1 - y0)) * 40 + 12) * ratio);
      close.style.height = "48px";
      const margin = (y1 - y0) * 0.1;
      close.getContext("2d").drawImage(image, x0 - margin, y0 - margin, x1 - x0 + 2 * margin, y1 - y0 + 2 * margin, 0, 0, close.width, close.height);
    }

    function choose(index) {
      chosen = boxes.length ? (index + boxes.length) % boxes.length : -1;
      field.value = chosen < 0 ? "" : boxes[chosen].text;
      draw();
      if (chosen >= 0) {
        const frame = canvas.parentElement;
        frame.scrollTo({ top: boxes[chosen].box[1] * scale - frame.clientHeight / 2 });
      }
      field.focus({ preventScroll: true });
      field.select();
    }

    function drop() {
      if (chosen < 0) return;
      boxes.splice(chosen, 1);
      choose(Math.min(chosen, boxes.length - 1));
    }

    function add(box) {
      boxes.push({ box, text: "" });
      choose(boxes.length - 1);
    }

    function held(box) {
      const [x0, y0, x1, y1] = box;
      const a = Math.max(0, Math.min(x0, x1)), b = Math.max(0, Math.min(y0, y1));
      return [a, b, Math.min(image.width, Math.max(x0, x1, a + 2)), Math.min(image.height, Math.max(y0, y1, b + 2))];
    }

    const at = (event) => {
      const frame = canvas.getBoundingClientRect();
      return [(event.clientX - frame.left) / scale, (event.clientY - frame.top) / scale];
    };
    canvas.addEventListener("pointerdown", (event) => {
      const [x, y] = at(event);
      canvas.setPointerCapture(event.pointerId);
      drawn = [x, y, x, y];
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drawn) return;
      [drawn[2], drawn[3]] = at(event);
      draw();
    });
    canvas.addEventListener("pointerup", () => {
      const box = drawn;
      drawn = null;
      if (!box) return;
      if (Math.abs(box[2] - box[0]) > 3 && Math.abs(box[3] - box[1]) > 3) return add(held(box));
      const hit = boxes.findIndex(({ box: [x0, y0, x1, y1] }) => box[0] >= x0 && box[0] <= x1 && box[1] >= y0 && box[1] <= y1);
      choose(hit < 0 ? chosen : hit);
    });
    field.addEventListener("input", () => { boxes[chosen].text = field.value; });
    choose(chosen);

    return {
      focus: () => field.focus(),
      key(event) {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          send();
        } else if (event.key === "Enter" && event.target === field) {
          event.preventDefault();
          choose(chosen + (event.shiftKey ? -1 : 1));
        } else if (event.altKey && event.code === "KeyN") {
          event.preventDefault();
          const last = boxes[chosen]?.box ?? [20, 20, 100, 40];
          add(held([last[2] + 6, last[1], last[2] + 6 + Math.max(20, last[2] - last[0]), last[3]]));
        } else if (event.altKey && event.key === "Delete") {
          event.preventDefault();
          drop();
        } else if (event.altKey && event.key.startsWith("Arrow") && chosen >= 0) {
          event.preventDefault();
          const dx = { ArrowLeft: -1, ArrowRight: 1 }[event.key] || 0, dy = { ArrowUp: -1, ArrowDown: 1 }[event.key] || 0;
          const [x0, y0, x1, y1] = boxes[chosen].box;
          boxes[chosen].box = held(event.shiftKey ? [x0, y0, x1 + dx, y1 + dy] : [x0 + dx, y0 + dy, x1 + dx, y1 + dy]);
          draw();
        }
        say("");
      },
    };
  },
};
