import { css } from "lit";

/**
 * The stage is a box of known size; nodes stand at --x, --y (0..1 of the free width and height), lines lead there from
 * its middle (--hub-y). Nothing in it moves but the dots, and these by `transform` only.
 */
export const flowStyles = css`
  :host { container-type: inline-size; contain: layout inline-size style; }
  .stage {
    --node: 80px; --hub: 84px; --above: 22px; --below: 38px;
    --free-x: calc(100cqw - var(--node)); --free-y: calc(100cqh - var(--node) - var(--above) - var(--below));
    position: relative; height: 384px; max-width: 560px; margin: 0 auto; container-type: size;
  }
  .scene { --middle: calc(var(--above) + var(--node) / 2 + var(--hub-y) * var(--free-y)); position: absolute; inset: 0; }
  .node {
    position: absolute; width: var(--node); height: var(--node);
    left: calc(var(--x) * var(--free-x)); top: calc(var(--above) + var(--y) * var(--free-y));
  }
  .disc, .hub {
    position: absolute; display: flex; flex-direction: column; align-items: center; justify-content: center;
    border-radius: 50%; border: 2px solid var(--colour, var(--pvlm-line)); text-align: center;
    background: var(--pvlm-paper); font-size: 14px; line-height: 1.25;
  }
  .disc { inset: 0; gap: 2px; }
  .unsure .disc { border-style: dashed; --colour: var(--pvlm-soft); }
  .disc.mixed { border-color: transparent; isolation: isolate; }
  .disc.mixed::before {
    content: ""; position: absolute; inset: -2px; border-radius: 50%; z-index: -1;
    background: radial-gradient(closest-side, var(--pvlm-paper) calc(100% - 3px), transparent calc(100% - 2.5px)), var(--ring);
  }
  .node svg { color: var(--colour, var(--pvlm-soft)); flex: none; }
  .number { font-weight: 500; }
  .label {
    position: absolute; left: 50%; transform: translateX(-50%); top: 100%; padding-top: 4px; width: max-content;
    max-width: calc(var(--node) + 44px); text-align: center; font-size: 12px; line-height: 16px; color: var(--pvlm-soft);
  }
  .top .label { top: auto; bottom: 100%; padding: 0 0 4px; max-width: none; }
  .label span { display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .top .label span { display: inline; }
  .label .name { color: var(--pvlm-text); }
  .hub {
    width: var(--hub); height: var(--hub); left: calc(50% - var(--hub) / 2);
    top: calc(var(--middle) - var(--hub) / 2);
    border: 1px solid var(--pvlm-line); z-index: 2;
  }
  .hub small { font-size: 12px; color: var(--pvlm-soft); }
  button.disc:hover, button.hub:hover { filter: brightness(0.96); }
  .hint {
    position: absolute; z-index: 3; left: 50%; transform: translateX(-50%); width: min(280px, 92cqw); padding: 8px 12px;
    top: calc(var(--middle) + var(--hub) / 2 + 6px);
    border-radius: 8px; font-size: 12px; line-height: 1.4; pointer-events: none; visibility: hidden; opacity: 0;
    background: var(--pvlm-text); color: var(--pvlm-paper); transition: opacity 0.15s;
  }
  .hub:hover + .hint, .hub:focus-visible + .hint { visibility: visible; opacity: 1; }

  .wire {
    --dx: calc((var(--x) - 0.5) * var(--free-x)); --dy: calc((var(--y) - var(--hub-y)) * var(--free-y));
    position: absolute; left: 50%; top: calc(var(--middle) - 6px);
    width: hypot(var(--dx), var(--dy)); height: 12px; transform-origin: 0 50%; transform: rotate(atan2(var(--dy), var(--dx)));
    display: flex; flex-direction: column; justify-content: center; gap: 1px; contain: strict;
  }
  .wire.still { background: linear-gradient(var(--pvlm-line), var(--pvlm-line)) center / 100% 1px no-repeat; }
  .band { position: relative; overflow: hidden; border-radius: 2px; }
  .band::before { content: ""; position: absolute; inset: 0; background: var(--colour); opacity: 0.35; }
  /* All dots go 48 px in 1.6 s; their distance, which says how much flows, is a part of that. Steps spare the processor. */
  .dots {
    position: absolute; inset: 0 0 0 -48px; color: var(--colour);
    background: radial-gradient(circle 3px, currentColor 85%, transparent) 0 0 / var(--apart) 100%;
    animation: outward 1.6s steps(12) infinite;
  }
  .inward .dots { animation-direction: reverse; }
  @keyframes outward { to { transform: translateX(48px); } }
  .arrow { display: none; }
  @media (prefers-reduced-motion: reduce) {
    .dots { display: none; }
    .arrow {
      display: block; position: absolute; left: calc(50% - 5px); top: 0; width: 10px; height: 12px; background: var(--pvlm-text);
      clip-path: polygon(0 0, 100% 50%, 0 100%);
    }
    .inward .arrow { clip-path: polygon(100% 0, 0 50%, 100% 100%); }
  }
  .mix {
    min-height: 20px; margin: 8px 0 0; text-align: center; font-size: 12px; line-height: 20px; color: var(--pvlm-soft);
  }
  @container (max-width: 419px) {
    .stage { --node: 72px; --hub: 76px; height: 344px; }
    .disc, .hub { font-size: 13px; }
  }
`;
