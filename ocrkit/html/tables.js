// Tables of more than one row sort by a click, or the Enter key, on a column's title.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  heads.forEach((head, column) => {
    const key = row => row.cells[column].dataset.sort;
    const filled = [...body.rows].map(key).filter(text => text !== "");
    const numeric = filled.every(text => Number.isFinite(Number(text)));
    const button = document.createElement("button");
    button.append(head.firstElementChild);
    head.prepend(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const down = now === "none" ? numeric : now === "ascending";
      heads.forEach(other => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const compare = (a, b) => numeric ? Number(a) - Number(b) : a.localeCompare(b, "en", {numeric: true});
      const rows = [...body.rows].sort((x, y) => {
        const a = key(x), b = key(y);
        if (a === "" || b === "") return (a === "") - (b === "");
        return down ? compare(b, a) : compare(a, b);
      });
      body.append(...rows);
    });
  });
}
