// What scrolls sideways can be reached, and scrolled, with the keyboard.
const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const node of document.querySelectorAll("pre, div.math, .table-wrapper")) watch.observe(node);
