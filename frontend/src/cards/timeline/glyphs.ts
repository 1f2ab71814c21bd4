import {
  mdiAlert,
  mdiArrowCollapseUp,
  mdiCarElectric,
  mdiHandBackRight,
  mdiMeterElectric,
  mdiPlay,
  mdiSineWave,
  mdiStop,
} from "@mdi/js";
import type { MarkKind } from "./marks";

/** The shape of each kind. */
export const GLYPHS: Record<MarkKind, string> = {
  start: mdiPlay,
  stop: mdiStop,
  phase_switch: mdiSineWave,
  limit: mdiArrowCollapseUp,
  override: mdiHandBackRight,
  meter: mdiMeterElectric,
  car: mdiCarElectric,
  fault: mdiAlert,
};
