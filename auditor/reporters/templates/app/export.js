/* What is shown, as a file: CSV that no spreadsheet runs, JSON, or Markdown that stays text. Nothing leaves the page. */

const csvCell = (value) => {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value !== "number" ? `'${text}` : text;
  return /[",\n\r;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const markdownCell = (value) => String(value ?? "").replace(/[\\\x60*_{}[\]<>()#+\-!|~&@:]/g, "\\$&").replaceAll("\n", " ");

const FORMATS = {
  CSV: { ending: "csv", type: "text/csv", write: (records) => {
    const names = Object.keys(records[0] ?? {});
    return [names, ...records.map((record) => names.map((name) => record[name]))].map((cells) => cells.map(csvCell).join(",")).join("\r\n") + "\r\n";
  } },
  JSON: { ending: "json", type: "application/json", write: (records) => `${JSON.stringify(records, (_, value) => value ?? "", 2)}\n` },
  Markdown: { ending: "md", type: "text/markdown", headed: true, write: (records) => {
    const names = Object.keys(records[0] ?? {});
    const line = (cells) => `| ${cells.join(" | ")} |`;
    return [line(names.map(markdownCell)), line(names.map(() => "---")), ...records.map((record) => line(names.map((name) => markdownCell(record[name]))))].join("\n") + "\n";
  } },
};

/* A file's name says of which run it is, and when it does not hold all. */
const nameExport = (name, run, { shown, total }) =>
  ["netaudit", name, run.replace(/[^\w.-]/g, "_"), shown < total && `${shown}-of-${total}`].filter(Boolean).join("-");

const openExport = ({ name, nouns, grid, open, record, tally }) => {
  const { run } = root.dataset;
  const records = Array.from(grid.rows, (at) => ({ run, ...record(open(at)) }));
  const called = nameExport(name, run, tally);
  const holds = `${digits(tally.shown)} of ${digits(tally.total)} ${nouns}${tally.q ? ` by the filter ${tally.q}` : ""}`;
  const dialog = byId("export");
  const area = make("textarea", { readonly: true, rows: "10", spellcheck: "false", "aria-label": "The export, to copy" });
  const download = make("a.button", "Download");
  const copies = make("span");
  const choose = (chosen) => {
    const { ending, type, headed, write } = FORMATS[chosen];
    const text = `${headed ? `${markdownCell(`Run ${run}: ${holds}`)}\n\n` : ""}${records.length || chosen === "JSON" ? write(records) : ""}`;
    area.value = text.length > 2e6 ? `${text.slice(0, 2e6)}\n… the rest is in the download` : text;
    dress(download, { href: `data:${type};charset=utf-8,${encodeURIComponent(text)}`, download: `${called}.${ending}` });
    download.textContent = `Download ${called}.${ending}`;
    copies.replaceChildren(copyButton(text));
  };
  const choices = Object.keys(FORMATS).map((format, at) =>
    chip(format, { type: "radio", name: "format", value: format, checked: at === 0 }, () => choose(format)));
  dialog.replaceChildren(
    make("h2", { id: "export-title" }, `Export ${plural(records.length, "row")}`),
    make("p.sub", `${holds}, in this order, with all columns, shown or not, and more; report.json has every field.`),
    make("fieldset.chips", make("legend.quiet", "Format"), choices), area,
    make("p.buttons", download, copies, make("button", { type: "button", on: { click: () => dialog.close() } }, "Close")));
  choose("CSV");
  dialog.showModal();
};
