document.documentElement.classList.add("js");
addEventListener("DOMContentLoaded", () => {
  if (document.documentElement.dataset.app === undefined) document.documentElement.classList.remove("js");
});
