// Mechanical Turk's page: one task inside it, whose answer is the form that Amazon takes.
const given = JSON.parse(document.getElementById("task").textContent);
const query = new URLSearchParams(location.search);
const bytes = Uint8Array.from(atob(given.picture), (character) => character.charCodeAt(0));
let listen = () => {};
tasks.render({
  el: document.getElementById("app"),
  model: {
    on: (_, callback) => { listen = callback; },
    send(message) {
      if (message.kind === "task") queueMicrotask(() => listen(given.task, [new DataView(bytes.buffer)]));
      else if (message.kind === "answer" && query.get("assignmentId") === "ASSIGNMENT_ID_NOT_AVAILABLE")
        queueMicrotask(() => listen({ kind: "mend", sentence: "This is a preview: accept the task to answer it." }, []));
      else if (message.kind === "answer") {
        document.getElementById("assignment").value = query.get("assignmentId");
        document.getElementById("answer").value = JSON.stringify(message.value);
        const form = document.getElementById("form");
        form.action = new URL("/mturk/externalSubmit", query.get("turkSubmitTo") || "https://www.mturk.com").href;
        form.submit();
      } else if (message.kind === "undo") queueMicrotask(() => listen(given.task, [new DataView(bytes.buffer)]));
    },
  },
});
