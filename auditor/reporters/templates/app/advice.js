/* What to paste for a finding, under which key of which file, and what else the pasted lines would do. */

const EVERY = ["tcp", "udp", "udplite", "sctp"];
const SPAN = /^(?:every port|(\d+)(?:-(\d+))?)\/([a-z]+)(?: on (\S+))?(?: over IPv([46]))? to /;
const PORTS = /\b\d+(?:-\d+)?\/[a-z]+[46]?\b/g;
const WIDER = {
  "missing-listener": "It covers whatever is required on this port, at any address, held by anybody and in any namespace.",
  "service-name-conflict": "It covers every name that a policy has for this port.",
  "connection-states": "It covers every state: a waiver for this rule is for the host as a whole.",
  exposure: "A waiver cannot tell a port that leads elsewhere from a listener: it covers what this rule finds about listeners there, too.",
  containers: "It covers this port in every other network namespace of the host: a waiver cannot name one of them.",
};
const LOOPBACK = /^(127\.|::1$)/;

/* Where a finding is, in the words of a waiver: ports, and addresses or their scope (none: anywhere). Null: it cannot be said. */
const whereIs = (finding, near = listenersNear(finding)) => {
  const { rule, subject, message } = finding;
  const exposed = subject.match(SPAN);
  if (exposed) {
    const [, first = "1", last = exposed[1] ?? "65535", named, address, pin = ""] = exposed;
    const protos = EVERY.filter((one) => named === "any" || named === one);
    const addresses = address && !address.includes("/") ? [address] : [];
    const span = first === last ? first : `${first}-${last}`;
    const ports = protos.map((proto) => `${span}/${proto}${pin}`);
    const place = address ? { bind: addresses, scope: LOOPBACK.test(address) && "loopback" } : { bind: ["wildcard"], scope: "wildcard" };
    return ports.length ? { ...place, ports, addresses, wider: "exposure" } : null;
  }
  if (near.length) {
    const [{ port, proto, scope, netns }] = near;
    const addresses = near.map(({ address }) => address);
    const inside = netns !== "host";
    const wide = ["wildcard", "loopback"].includes(scope) || near.length >= 20;  // the subject names 20 at most
    const bind = proto === "packet" ? [] : wide ? [scope] : addresses;
    return { ports: [`${port}/${proto}`], bind, scope, addresses, inside, wider: inside && "containers" };
  }
  if (rule === "connection-states") return { ports: [], bind: [], wider: rule };
  const said = { "missing-listener": subject.split(" ")[0], "service-name-conflict": message.split("; the policies mean ")[1] }[rule];
  const ports = said?.match(PORTS);
  return ports ? { ports, bind: [], wider: rule } : null;
};

const readPorts = (text) => {
  const [, first, last = first, proto, pin] = text.match(/^(\d+)(?:-(\d+))?\/([a-z]+)([46]?)$/);
  return { first: +first, last: +last, proto, pin };
};

const holdsPorts = (outer, inner) => {
  const [wide, one] = [readPorts(outer), readPorts(inner)];
  return wide.proto === one.proto && wide.first <= one.first && one.last <= wide.last && (!wide.pin || wide.pin === one.pin);
};

/* Whether a waiver for one place covers another one on the same host: what the policies ask of one, as far as it is needed here. */
const coversPlace = (wide, one) => Boolean(wide.inside) === Boolean(one.inside)
  && (!wide.ports.length || one.ports.every((ports) => wide.ports.some((outer) => holdsPorts(outer, ports))))
  && (!wide.bind.length || wide.bind.includes(one.scope) || (one.addresses.length > 0 && one.addresses.every((address) => wide.bind.includes(address))));

const alsoWaived = (finding, where) => finding.host.findings.filter((one) => {
  if (one.at === finding.at || one.waived || one.rule !== finding.rule) return false;
  const place = whereIs(one);
  return place && coversPlace(where, place);
});

/* The policy of the host that holds on the fewest hosts of this report: what is pasted there reaches least. */
const narrowest = ({ policies }) => {
  const counts = new Map();
  for (const set of fleet.hosts.policies) for (const name of fleet.words(set)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return policies.sort((a, b) => counts.get(a) - counts.get(b))[0];
};

const quote = (text) => (/^[\w][\w.\/-]*$/.test(text) ? text : JSON.stringify(text));
const listed = (words) => (words.length === 1 ? quote(words[0]) : `[${words.map(quote).join(", ")}]`);

const waiverLines = ({ id, rule, message, host }, { ports, bind, inside }) => {
  const named = `w-${id.slice(0, 8)}`;
  const again = message.includes(`the waiver ${named} ended`) ? `-${fleet.run.expires}` : "";
  const terms = [
    `id: ${named}${again}`, `rule: ${rule}`, `hosts: [${JSON.stringify(host.name.replace(/[*?[]/g, "[$&]"))}]`,
    ports.length && `${ports.length > 1 ? "ports" : "port"}: ${listed(ports)}`,
    bind.length && `bind: ${listed(bind)}`, inside && "netns: containers",
  ];
  return [`  - {${terms.filter(Boolean).join(", ")},`,
    `     expires: ${fleet.run.expires}, owner: who answers for it, ticket: its number, reason: why it may stay until then}`];
};

const waiverAdvice = (finding, near) => {
  const { rule, host } = finding;
  if (fleet.open.includes(rule)) return null;
  if (rule === "expired-waiver") return make("p", "This cannot be waived: renew the waiver that ended, or write another one for what it covered.");
  const where = whereIs(finding, near);
  const unnamed = "No waiver to paste: what it is about is not in this page, or is nothing that a waiver can name by itself.";
  if (!where) return make("p", near.length ? "" : unnamed);
  const home = fleet.run.policies[narrowest(host)] ?? "a policy of this host";
  const others = alsoWaived(finding, where);
  return [
    make("p", "Or, when it has to stay for a while, say so and until when, under ", code("waivers:"), " in ", code(home), ":"),
    snippet(waiverLines(finding, where)),
    where.wider && make("p.sub", WIDER[where.wider]),
    others.length > 0 && make("p.sub", "Of this host’s findings it would also cover: ",
      others.flatMap(({ id, subject }, at) => [at ? ", " : "", linkTo({ finding: id }, code(subject))]), "."),
  ];
};
