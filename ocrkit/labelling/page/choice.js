// A page and what kind it is of: one key.
interfaces.choice = {
  help: () => make("p", {}, "Each number is the key of a choice."),

  show({ card, image, message, answer, root }) {
    const { template } = message;
    const canvas = make("canvas", { role: "img", "aria-label": "the page" });
    card.replaceChildren(make("div", { class: "choices" }, ...choiceButtons(template.choices, (name) => answer({ choice: name }))),
      make("div", { class: "picture page" }, canvas));
    const room = Math.max(200, card.clientWidth - 40);
    // All of the page is to be seen at once, with what stands above and below it.
    const below = window.innerHeight - canvas.getBoundingClientRect().top - 110;
    const high = Math.min(0.75 * window.innerHeight, Math.max(0.4 * window.innerHeight, below));
    paint(canvas, image, message.watermark, Math.min(2, room / image.width, high / image.height));
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
