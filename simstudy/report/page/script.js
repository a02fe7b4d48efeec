"use strict";
(() => {
  const download = (content, name, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const keyOf = (row, index) => {
    const cell = row.cells[index];
    const key = cell.dataset.key ?? cell.textContent;
    const number = cell.classList.contains("number") ? Number(key.replaceAll(",", "")) : NaN;
    return { key: key.trim(), number };
  };

  const compare = (a, b) => {
    if (Number.isNaN(a.number) !== Number.isNaN(b.number)) return Number.isNaN(a.number) ? 1 : -1;
    if (!Number.isNaN(a.number)) return a.number - b.number;
    return a.key.localeCompare(b.key, undefined, { numeric: true });
  };

  for (const head of document.querySelectorAll("th")) {
    head.querySelector("button").addEventListener("click", () => {
      const table = head.closest("table");
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.querySelectorAll("th")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row) => ({ row, ...keyOf(row, head.cellIndex) }));
      rows.sort((a, b) => {
        const empty = Number(a.key === "") - Number(b.key === "");
        return empty || (up ? compare(a, b) : compare(b, a));
      });
      body.append(...rows.map(({ row }) => row));
    });
  }

  for (const button of document.querySelectorAll("[data-csv]")) {
    button.addEventListener("click", () => {
      const name = button.dataset.csv;
      const text = JSON.parse(button.closest("details").querySelector("script").textContent);
      download("\ufeff" + text, `${name}.csv`, "text/csv;charset=utf-8");
    });
  }

  const plainSvg = (figure) => {
    const svg = [...figure.querySelectorAll("svg")].find((s) => s.getClientRects().length) ?? figure.querySelector("svg");
    const copy = svg.cloneNode(true);
    const { width, height } = svg.dataset;
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    const text = new XMLSerializer().serializeToString(copy);
    return { text: text.replaceAll(/var\(--[\w-]+,\s*(#[0-9a-fA-F]{6})\)/g, "$1"), width: Number(width), height: Number(height) };
  };

  const savePng = ({ text, width, height }, name) => {
    const scale = 3;
    const canvas = Object.assign(document.createElement("canvas"), { width: scale * width, height: scale * height });
    const image = new Image();
    image.onload = () => {
      const paper = canvas.getContext("2d");
      paper.fillStyle = "#ffffff";
      paper.fillRect(0, 0, canvas.width, canvas.height);
      paper.drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => download(blob, name, "image/png"));
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  };

  for (const button of document.querySelectorAll("[data-save]")) {
    button.addEventListener("click", () => {
      const figure = button.closest("figure");
      const picture = plainSvg(figure);
      if (button.dataset.save === "png") savePng(picture, `${figure.dataset.name}.png`);
      else download(picture.text, `${figure.dataset.name}.svg`, "image/svg+xml");
    });
  }

  const longOnPhones = 8;
  if (window.matchMedia("screen and (max-width: 819px)").matches) {
    for (const details of document.querySelectorAll("details.table[open]")) {
      details.open = details.querySelectorAll("tbody tr").length <= longOnPhones;
    }
  }

  const unfold = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && document.getElementById(name);
    if (!target) return;
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    const folded = target.querySelector(":scope > details.section");
    if (folded) folded.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", unfold);
  for (const link of document.querySelectorAll("nav a")) link.addEventListener("click", () => setTimeout(unfold));
  unfold();

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    const isLong = (d) => d.classList.contains("table") && d.querySelectorAll("tbody tr").length > 30;
    for (const details of closed) details.open = !isLong(details);
  });
  window.addEventListener("afterprint", () => { for (const details of closed) details.open = false; });
})();
