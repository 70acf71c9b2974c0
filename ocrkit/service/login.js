// Gives the token once; the browser then keeps a cookie that this script cannot read.
document.getElementById("login").addEventListener("submit", async event => {
  event.preventDefault();
  const answer = await fetch("login", {method: "POST", body: new URLSearchParams(new FormData(event.target))});
  if (answer.ok) location.reload();
  else document.getElementById("wrong").textContent = (await answer.json()).error;
});
