// A word and what it says: Enter accepts what stands in the field, 1 to 9 answer that there is nothing to type, any other
// key begins to type. While one types, figures are figures, and flags are Alt with a figure.
interfaces.text = {
  help(template) {
    const flags = template.choices.map((choice, index) => make("li", {}, keyName(index + 1), ` ${choice.label}`));
    return make("ul", { class: "keys" },
      make("li", {}, make("kbd", {}, "Enter"), " the text is right"), ...flags,
      make("li", {}, make("kbd", {}, "Tab"), " or any letter: type. Then ", make("kbd", {}, "Alt"), " with a number for the flags, ",
        make("kbd", {}, "Esc"), " back"),
      template.candidates ? make("li", {}, make("kbd", {}, "↑"), " ", make("kbd", {}, "↓"), " other readings") : null);
  },

  show({ card, image, message, answer, root }) {
    const { template, content } = message;
    const canvas = make("canvas", { role: "img", "aria-label": "the word" });
    const reading = content.reading || "";
    const candidates = content.candidates?.length ? content.candidates : [reading].filter(Boolean);
    let place = 0;
    const field = make("input", {
      type: "text", value: reading, maxLength: template.longest, spellcheck: false, autocomplete: "off", name: "text",
      autocapitalize: "off", "aria-label": "what is printed",
    });
    const send = () => answer({ text: field.value });
    const flag = (name) => answer({ choice: name });
    const list = make("div", { class: "candidates" });
    const offer = (index) => {
      place = (index + candidates.length) % candidates.length;
      field.value = candidates[place];
      [...list.children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === place)));
    };
    if (template.candidates && candidates.length > 1) {
      list.append(...candidates.map((text, index) => make("button",
        { type: "button", class: "candidate", onclick: () => { offer(index); root.focus(); } }, text)));
    }
    const form = make("form", { class: "typed", onsubmit: (event) => { event.preventDefault(); send(); } }, field,
      make("button", { type: "submit", class: "main" }, "Right ", make("kbd", {}, "Enter")));
    card.replaceChildren(make("div", { class: "picture" }, canvas), list, form,
      make("div", { class: "choices" }, ...choiceButtons(template.choices, flag)));
    const room = Math.max(200, card.clientWidth - 40);
    paint(canvas, image, message.watermark, Math.min(4, Math.max(1, 72 / image.height), room / image.width));
    if (list.children.length) offer(0);
    const type = () => { field.focus(); field.select(); };
    if (reading) root.focus({ preventScroll: true });
    else type();

    return {
      focus: type,
      key(event) {
        const typing = event.target === field, plain = !event.ctrlKey && !event.metaKey;
        const choice = template.choices[Number(event.code.replace(/^(Digit|Numpad)/, "")) - 1];
        if (choice && plain && (event.altKey || !typing)) {
          event.preventDefault();
          flag(choice.name);
        } else if (["ArrowDown", "ArrowUp"].includes(event.key) && list.children.length) {
          event.preventDefault();
          offer(place + (event.key === "ArrowDown" ? 1 : -1));
        } else if (typing) {
          if (event.key === "Escape") root.focus();
        } else if (event.target === root && event.key === "Enter") {
          event.preventDefault();
          send();
        } else if (event.target === root && plain && !event.altKey && (event.key === "Tab" || event.key === "F2" || event.key === "Backspace") && !event.shiftKey) {
          event.preventDefault();
          type();
        } else if (plain && !event.altKey && event.key.length === 1 && event.key !== " ") {
          type(); // and the key itself goes into the field
        }
      },
    };
  },
};
