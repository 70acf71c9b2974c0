// A page and what kind it is of: one key.
interfaces.choice = {
  help: () => make("p", {}, "Each number is the key of a choice."),

  show({ card, image, message, answer, root }) {
    const { template } = message;
    const canvas = make("canvas", { role: "img", "aria-label": "the page" });
    card.replaceChildren(make("div", { class: "choices" }, ...choiceButtons(template.choices, (name) => answer({ choice: name }))),
      make("div", { class: "picture page" }, canvas));
    const room = Math.max(200, card.clientWidth - 40);
    paint(canvas, image, message.watermark, Math.min(2, room / image.width, (0.75 * window.innerHeight) / image.height));
    root.focus({ preventScroll: true });
    return {
      key(event) {
        const choice = template.choices[Number(event.code.replace(/^(Digit|Numpad)/, "")) - 1];
        if (!choice || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        answer({ choice: choice.name });
      },
    };
  },
};
