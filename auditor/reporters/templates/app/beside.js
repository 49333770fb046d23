/* What hosts show beside their listeners: ports that lead elsewhere without a socket, unix sockets, sockets by state. */

const READERS = {
  host: "the host’s own",
  other: "not the host’s own: what listens on the host itself was not seen",
  unknown: "not known whether it is the host’s own",
};
const TRUST = {
  known: "it is on file",
  certificate: "an authority on file vouches for it",
  accepted: "it was the first time: taken on trust, and put on file",
  ignored: "nobody looked: host keys were ignored",
};

const portOf = ({ port, last_port: last, proto }) => `${port < 0 ? "any port" : last > port ? `${port}-${last}` : port}/${proto}`;
const boundTo = ({ address, family }) => address ?? { ipv4: "any IPv4 address", ipv6: "any IPv6 address" }[family] ?? "any address";

const exposuresTab = () => {
  const { exposures, exposureAt } = fleet;
  const by = (column) => (at) => exposures[column][exposures.row[at]];
  return {
    target: "exposure",
    noun: "port that leads elsewhere",
    nouns: "ports that lead elsewhere",
    about: "about-elsewhere",
    sort: "port,host",
    open: exposureAt,
    all: () => upTo(exposures.count),
    columns: [
      { key: "port", label: "Port", number: true, rank: (at) => Math.max(0, by("port")(at)), cell: portOf },
      hostColumn(exposures.host),
      { key: "address", tip: true, label: "On", rank: by("address"), cell: boundTo },
      { key: "target", tip: true, label: "Leads to", rank: by("target"), cell: ({ target }) => code(target) },
      { key: "via", label: "By", rank: by("source"), cell: ({ source, raw }) => [make("span", source), make("code.sub", raw)] },
    ],
    record: (one) => ({
      host: one.host.name, port: portOf(one), address: boundTo(one), leads_to: one.target, by: one.source, rule: one.raw,
    }),
  };
};

const unixTab = () => {
  const { unix, unixAt } = fleet;
  return {
    target: "unix",
    noun: "unix socket",
    about: "about-unix",
    sort: "path,host",
    open: unixAt,
    all: () => upTo(unix.count),
    columns: [
      { key: "path", tip: true, label: "Path, as the kernel prints it", rank: (at) => unix.path[unix.row[at]],
        cell: ({ path }) => code(path) },
      { key: "type", label: "Type", rank: (at) => unix.kind[unix.row[at]], cell: ({ kind }) => kind },
      hostColumn(unix.host),
    ],
    record: ({ host, path, kind }) => ({ host: host.name, path, type: kind }),
  };
};

/* The first rows of a host, and how many of all it has are only in the report. */
const firstOf = ({ starts }, host, open) => range(starts, host.at).slice(0, HOST_ROWS).map(open);
const leftOut = (left) => left > 0 && make("p.note", `${digits(left)} more in report.json.`);
const explain = (id) => byId(id).firstElementChild.cloneNode(true);

const hostExposures = (host) => {
  if (!host.exposures) return null;
  const rows = firstOf(fleet.exposures, host, fleet.exposureAt);
  return [
    make("h3", "Leads elsewhere"), explain("about-elsewhere"),
    rows.length > 0 && table(`Ports of ${host.name} that lead elsewhere`, [numeric("Port"), "On", "Leads to", "By"],
      rows.map((one) => [portOf(one), boundTo(one), code(one.target), [one.source, make("code.sub", one.raw)]]), "elsewhere"),
    leftOut(host.exposures - rows.length),
  ];
};

const hostUnix = (host) => {
  if (!host.unix) return null;
  const rows = firstOf(fleet.unix, host, fleet.unixAt);
  return dress(details(`Listening unix sockets (${digits(host.unix)})`, explain("about-unix"),
    make("ul.plain.paths", rows.map(({ path, kind }) => make("li", code(path), ` ${kind}`))),
    leftOut(host.unix - rows.length)), { class: "raw" });
};

const hostStates = ({ at: host }) => {
  const { states, stateStarts } = fleet;
  const of = new Map();
  fleet.words(states.set[host]).forEach((label, at) => {
    const [proto, state] = label.split(" ");
    of.set(proto, [...(of.get(proto) ?? []), `${digits(states.count[stateStarts[host] + at])} ${state}`]);
  });
  return [...of].map(([proto, parts]) => `${proto}: ${parts.join(", ")}`).join("; ");
};
