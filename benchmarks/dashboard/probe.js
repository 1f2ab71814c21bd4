// Tells when a view is complete. `pvlmProbe.watch(lanes)` waits for a site card with so many lanes that show a power,
// `pvlmProbe.watch(0)` for the one card of the empty dashboard; `pvlmProbe.done` is then performance.now() of that frame.
window.pvlmProbe = {
  begin: 0,
  done: undefined,
  watch(lanes) {
    this.begin = performance.now();
    this.done = undefined;
    let card;
    const look = () => {
      if (!card?.isConnected) card = deep(document, lanes ? "pv-load-manager-site-card" : "hui-markdown-card");
      if (card === undefined || !(lanes ? complete(card, lanes) : card.shadowRoot)) return setTimeout(look, 10);
      // What was found has to be painted as well.
      requestAnimationFrame(() => requestAnimationFrame(() => { this.done = performance.now(); }));
    };
    look();
  },
};

function deep(root, name) {
  for (const element of root.querySelectorAll("*")) {
    if (element.localName === name) return element;
    const found = element.shadowRoot && deep(element.shadowRoot, name);
    if (found) return found;
  }
  return undefined;
}

function complete(card, lanes) {
  const found = [...(card.shadowRoot?.querySelectorAll("pv-load-manager-lane") ?? [])];
  const number = (root, name) => root?.querySelector(`[data-figure=${name}]`)?.dataset.value;
  const flow = [...(card.shadowRoot?.querySelectorAll("*") ?? [])].some((item) => number(item.shadowRoot, "pv"));
  return flow && found.length >= lanes && found.every((lane) => number(lane.shadowRoot, "power"));
}
