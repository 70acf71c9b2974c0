// The contractors' page: passkey, agreement, then tasks. `model` below is what a notebook gives a widget.
import tasks from "./tasks.js";

const app = document.getElementById("app");
const out = document.getElementById("out");
const who = document.getElementById("who");
let csrf = "";

const coded = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const decoded = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

async function post(path, body = {}) {
  const response = await fetch(path, {
    method: "POST", credentials: "same-origin", cache: "no-store",
    headers: { "content-type": "application/json", "x-csrf": csrf }, body: JSON.stringify(body),
  });
  if (response.ok) return response;
  let sentence = `The server answered ${response.status}.`;
  try {
    sentence = (await response.json()).sentence;
  } catch { /* no sentence came with it */ }
  throw Object.assign(new Error(sentence), { status: response.status });
}

function door(title, text, label, act, long = "") {
  const error = Object.assign(document.createElement("p"));
  error.setAttribute("role", "alert");
  const box = document.createElement("section");
  box.className = "door";
  const head = Object.assign(document.createElement("h1"), { textContent: title });
  const words = Object.assign(document.createElement("p"), { textContent: text });
  box.append(head, words);
  if (long) {
    const pre = Object.assign(document.createElement("pre"), { textContent: long, tabIndex: 0 });
    box.append(pre);
  }
  if (label) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    button.addEventListener("click", async () => {
      error.textContent = "";
      button.disabled = true;
      try {
        await act();
      } catch (problem) {
        error.textContent = problem.name === "NotAllowedError" ? "The passkey was not given: try again." : problem.message;
      }
      button.disabled = false;
    });
    box.append(button);
    app.replaceChildren(box, error);
    button.focus();
  } else app.replaceChildren(box, error);
  box.append(error);
}

async function registerPasskey(invitation) {
  const options = await (await post("register/begin", { invitation })).json();
  const publicKey = { ...options, challenge: decoded(options.challenge), user: { ...options.user, id: decoded(options.user.id) } };
  const made = await navigator.credentials.create({ publicKey });
  const credential = {
    id: made.id, rawId: coded(made.rawId), type: made.type,
    response: { clientDataJSON: coded(made.response.clientDataJSON), attestationObject: coded(made.response.attestationObject) },
  };
  await post("register/finish", { invitation, credential, challenge: options.challenge });
  history.replaceState(null, "", location.pathname);
  await login();
}

async function login() {
  const options = await (await post("login/begin")).json();
  const given = await navigator.credentials.get({ publicKey: { ...options, challenge: decoded(options.challenge) } });
  const response = given.response;
  const credential = {
    id: given.id, rawId: coded(given.rawId), type: given.type,
    response: {
      clientDataJSON: coded(response.clientDataJSON), authenticatorData: coded(response.authenticatorData),
      signature: coded(response.signature), userHandle: response.userHandle ? coded(response.userHandle) : null,
    },
  };
  await post("login/finish", { credential, challenge: options.challenge });
  await enter();
}

function work() {
  let listener = () => {};
  const model = {
    on: (_, callback) => { listener = callback; },
    send: async (message) => {
      try {
        const body = await (await post("message", message)).arrayBuffer();
        const bytes = new Uint8Array(body);
        const end = bytes.indexOf(10);
        const reply = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
        let start = end + 1;
        const buffers = reply.sizes.map((size) => new DataView(body, (start += size) - size, size));
        listener(reply, buffers);
      } catch (problem) {
        if ([401, 403].includes(problem.status)) return enter(problem.message);
        if (problem.status && problem.status < 500) return listener({ kind: "refused", sentence: problem.message }, []);
        listener({ kind: "failed", sentence: `${problem.status ? problem.message : "The server does not answer."} Your answer is kept here and sent again.` }, []);
      }
    },
  };
  tasks.render({ model, el: app });
}

async function enter(why = "") {
  const state = await (await fetch("state", { credentials: "same-origin", cache: "no-store" })).json();
  csrf = state.csrf;
  out.hidden = !state.worker || state.local;
  who.textContent = state.worker || "";
  const invitation = new URLSearchParams(location.hash.slice(1)).get("invitation");
  if (location.search) history.replaceState(null, "", location.pathname + location.hash); // keys are for one opening
  if (state.worker && state.nda) {
    door("Before you begin", "You will see documents of other people. Please read what you agree to.", "I agree", async () => {
      await post("accept", { digest: state.nda.digest });
      await enter();
    }, state.nda.text);
  } else if (state.worker) work();
  else if (state.closed) door("Labelling", state.closed);
  else if (invitation) {
    door("Welcome", "This invitation is for you alone. Make a passkey on this device: it takes the place of a password.",
      "Make a passkey", () => registerPasskey(invitation));
  } else door("Labelling", why || "Log in with the passkey of this device.", "Log in", login);
}

out.addEventListener("click", async () => {
  await post("logout").catch(() => {});
  await enter("You are logged out.");
});
enter().catch((problem) => door("Labelling", `The server does not answer: ${problem.message}`));
