/* What is shown is written in the address: `#tab=findings&q=port:23&sort=-severity&columns=host,port&rows=all`, `#host=NAME`. */

const TABS = ["findings", "hosts", "ports", "rules", "waivers", "unaudited", "changes", "run"];
const KEYS = ["tab", "host", "finding", "rule", "q", "sort", "each", "columns", "rows"];

const readHash = () => {
  const hash = location.hash.slice(1);
  if (TABS.includes(hash)) return { tab: hash };
  const found = new URLSearchParams(hash.replaceAll("+", "%2B"));
  const state = {};
  for (const key of KEYS) if (found.get(key)) state[key] = found.get(key);
  if (state.tab && !TABS.includes(state.tab)) delete state.tab;
  return state;
};

const writeHash = (state) => {
  const parts = KEYS.filter((key) => state[key]).map((key) => `${key}=${encodeURIComponent(state[key]).replaceAll("%3A", ":").replaceAll("%2C", ",")}`);
  return `#${parts.join("&")}`;
};

const goTo = (state) => { location.hash = writeHash(state); };

/* How many steps of this page led here: whether there is a way back that does not leave it. */
let depth = -1;
let amending = false;
const amend = (state) => {
  amending = writeHash(state) !== location.hash;
  location.replace(writeHash(state));
};
const countSteps = () => {
  depth = history.state?.depth ?? (amending ? depth : depth + 1);
  amending = false;
  history.replaceState({ depth, theme: document.documentElement.dataset.theme }, "");
};
