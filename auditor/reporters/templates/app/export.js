/* What is shown, as a file: CSV that no spreadsheet runs, JSON, or Markdown that stays text. Nothing leaves the page. */

const csvCell = (value) => {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value !== "number" ? `'${text}` : text;
  return /[",\n\r;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const markdownCell = (value) => String(value ?? "").replace(/[\\`*_{}[\]<>()#+\-!|~&@:]/g, "\\$&").replaceAll("\n", " ");

const FORMATS = {
  CSV: { ending: "csv", type: "text/csv", write: (records) => {
    const names = Object.keys(records[0] ?? {});
    return [names, ...records.map((record) => names.map((name) => record[name]))].map((cells) => cells.map(csvCell).join(",")).join("\r\n") + "\r\n";
  } },
  JSON: { ending: "json", type: "application/json", write: (records) => `${JSON.stringify(records, null, 2)}\n` },
  Markdown: { ending: "md", type: "text/markdown", write: (records) => {
    const names = Object.keys(records[0] ?? {});
    const line = (cells) => `| ${cells.join(" | ")} |`;
    return [line(names.map(markdownCell)), line(names.map(() => "---")), ...records.map((record) => line(names.map((name) => markdownCell(record[name]))))].join("\n") + "\n";
  } },
};

const openExport = (name, records) => {
  const dialog = byId("export");
  const area = make("textarea", { readonly: true, rows: "10", spellcheck: "false", "aria-label": "The export, to copy" });
  const download = make("a", { class: "button" }, "Download");
  const copies = make("span");
  const choose = (chosen) => {
    const { ending, type, write } = FORMATS[chosen];
    const text = records.length ? write(records) : "";
    area.value = text.length > 2e6 ? `${text.slice(0, 2e6)}\n… the rest is in the download` : text;
    dress(download, { href: `data:${type};charset=utf-8,${encodeURIComponent(text)}`, download: `netaudit-${name}.${ending}` }, []);
    download.textContent = `Download netaudit-${name}.${ending}`;
    copies.replaceChildren(copyButton(text));
  };
  const choices = Object.keys(FORMATS).map((format, at) => make("label", { class: "chip" },
    make("input", { type: "radio", name: "format", value: format, checked: at === 0, on: { change: () => choose(format) } }), make("span", {}, format)));
  dialog.replaceChildren(
    make("h2", { id: "export-title" }, `Export ${plural(records.length, "row")}`),
    make("p", { class: "sub" }, "Every row of this tab that fits the filter, in this order and with all its fields, whichever columns are shown."),
    make("fieldset", { class: "chips" }, make("legend", { class: "quiet" }, "Format"), choices), area,
    make("p", { class: "buttons" }, download, copies, make("button", { type: "button", on: { click: () => dialog.close() } }, "Close")));
  choose("CSV");
  dialog.showModal();
};
