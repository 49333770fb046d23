document.documentElement.classList.add("js");
document.documentElement.dataset.theme = history.state?.theme ?? "auto";
addEventListener("DOMContentLoaded", () => {
  if (document.documentElement.dataset.app === undefined) document.documentElement.classList.remove("js");
});
