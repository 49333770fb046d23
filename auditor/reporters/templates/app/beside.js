/* What hosts show beside their listeners: ports that lead elsewhere without a socket, unix sockets, sockets by state. */

const READERS = { host: "the host’s own", other: "not the host’s own: what listens on the host itself was not seen", unknown: "not known whether it is the host’s own" };
const TRUST = { known: "it is on file", certificate: "an authority on file vouches for it", accepted: "it was the first time: taken on trust, and put on file", ignored: "nobody looked: host keys were ignored" };

const portOf = ({ exposures, word }, one) => {
  const [first, last] = [exposures.port[one], exposures.last_port[one]];
  return `${first < 0 ? "any port" : last > first ? `${first}-${last}` : first}/${word(exposures.proto[one])}`;
};
const boundTo = ({ exposures, word }, one) => word(exposures.address[one]) ?? { ipv4: "any IPv4 address", ipv6: "any IPv6 address" }[word(exposures.family[one])] ?? "any address";

const hostColumn = (fleet, rows) => ({
  key: "host", label: "Host", header: true, rank: (at) => fleet.hosts.name[rows.host[at]],
  cell: (at) => make("a", { href: writeHash({ host: fleet.word(fleet.hosts.name[rows.host[at]]) }), "data-opens": true }, fleet.word(fleet.hosts.name[rows.host[at]])),
});

const exposuresTab = (fleet) => {
  const { exposures, word } = fleet;
  const of = (at) => exposures.row[at];
  return {
    target: "exposure",
    noun: "port that leads elsewhere",
    nouns: "ports that lead elsewhere",
    about: "about-elsewhere",
    sort: "port,host",
    all: () => upTo(exposures.count),
    columns: [
      { key: "port", label: "Port", number: true, rank: (at) => Math.max(0, exposures.port[of(at)]), cell: (at) => portOf(fleet, of(at)) },
      hostColumn(fleet, exposures),
      { key: "address", label: "On", rank: (at) => exposures.address[of(at)], cell: (at) => boundTo(fleet, of(at)) },
      { key: "target", label: "Leads to", rank: (at) => exposures.target[of(at)], cell: (at) => code(word(exposures.target[of(at)])) },
      { key: "via", label: "By", rank: (at) => exposures.source[of(at)], cell: (at) => [make("span", {}, word(exposures.source[of(at)])), make("code", { class: "sub" }, word(exposures.raw[of(at)]))] },
    ],
    record: (at) => ({ host: word(fleet.hosts.name[exposures.host[at]]), port: portOf(fleet, of(at)), address: boundTo(fleet, of(at)), leads_to: word(exposures.target[of(at)]), by: word(exposures.source[of(at)]), rule: word(exposures.raw[of(at)]) }),
  };
};

const unixTab = (fleet) => {
  const { unix, word } = fleet;
  const of = (at) => unix.row[at];
  return {
    target: "unix",
    noun: "unix socket",
    about: "about-unix",
    sort: "path,host",
    all: () => upTo(unix.count),
    columns: [
      { key: "path", label: "Path, as the kernel prints it", rank: (at) => unix.path[of(at)], cell: (at) => code(word(unix.path[of(at)])) },
      { key: "type", label: "Type", rank: (at) => unix.kind[of(at)], cell: (at) => word(unix.kind[of(at)]) },
      hostColumn(fleet, unix),
    ],
    record: (at) => ({ host: word(fleet.hosts.name[unix.host[at]]), path: word(unix.path[of(at)]), type: word(unix.kind[of(at)]) }),
  };
};

const hostExposures = (fleet, host) => {
  const { exposures, hosts, word } = fleet;
  const rows = range(exposures.starts, host).slice(0, HOST_ROWS);
  const left = hosts.exposures[host] - rows.length;
  if (!hosts.exposures[host]) return null;
  return [
    make("h3", {}, "Leads elsewhere"), byId("about-elsewhere").firstElementChild.cloneNode(true),
    rows.length > 0 && table(`Ports of ${word(hosts.name[host])} that lead elsewhere`, [{ label: "Port", number: true }, "On", "Leads to", "By"], rows.map((at) => {
      const one = exposures.row[at];
      return make("tr", {}, make("td", { class: "number" }, portOf(fleet, one)), make("td", {}, boundTo(fleet, one)), make("td", {}, code(word(exposures.target[one]))),
        make("td", {}, word(exposures.source[one]), make("code", { class: "sub" }, word(exposures.raw[one]))));
    }), "elsewhere"),
    left > 0 && make("p", { class: "note" }, `${left.toLocaleString("en")} more in report.json.`),
  ];
};

const hostUnix = (fleet, host) => {
  const { unix, hosts, word } = fleet;
  const count = hosts.unix[host];
  if (!count) return null;
  const rows = range(unix.starts, host).slice(0, HOST_ROWS);
  return make("details", { class: "raw" }, make("summary", {}, `Listening unix sockets (${count.toLocaleString("en")})`), byId("about-unix").firstElementChild.cloneNode(true),
    make("ul", { class: "plain paths" }, rows.map((at) => make("li", {}, code(word(unix.path[unix.row[at]])), ` ${word(unix.kind[unix.row[at]])}`))),
    count > rows.length && make("p", { class: "note" }, `${(count - rows.length).toLocaleString("en")} more in report.json.`));
};

const hostStates = (fleet, host) => {
  const labels = fleet.words(fleet.states.set[host]);
  const of = new Map();
  labels.forEach((label, at) => {
    const [proto, state] = label.split(" ");
    of.set(proto, [...(of.get(proto) ?? []), `${fleet.states.count[fleet.stateStarts[host] + at].toLocaleString("en")} ${state}`]);
  });
  return [...of].map(([proto, parts]) => `${proto}: ${parts.join(", ")}`).join("; ");
};
