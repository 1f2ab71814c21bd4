import { html, type TemplateResult } from "lit";

/** An icon by its path (from @mdi/js): drawn at once, without asking Home Assistant for it. */
export const icon = (path: string, size = 24): TemplateResult =>
  html`<svg viewBox="0 0 24 24" width=${size} height=${size} aria-hidden="true"><path fill="currentColor" d=${path}></path></svg>`;
