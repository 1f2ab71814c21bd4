import type { HomeAssistant } from "../ha/types";

type Registry = Pick<HomeAssistant, "entities">;
interface Suggestion {
  config: { type: string; [option: string]: unknown };
}

/** Ids of the devices of our chargers: only they have this select. */
export function chargerDevices({ entities }: Registry): string[] {
  return Object.values(entities).flatMap((entity) =>
    entity?.platform === "pv_load_manager" && entity.translation_key === "charger_charge_mode" && entity.device_id
      ? [entity.device_id]
      : [],
  );
}

/** What a charger's card shows in the card picker: the first charger. */
export function chargerStub(hass: Registry): Record<string, unknown> {
  const [device] = chargerDevices(hass).sort();
  return device === undefined ? {} : { device };
}

/** Home Assistant asks for cards that show an entity: a charger's for a charger's, else that of the site. */
export function chargerSuggestion(hass: Registry, entityId: string): Suggestion | null {
  const entity = hass.entities[entityId];
  if (entity?.platform !== "pv_load_manager" || entity.device_id === undefined) return null;
  if (!chargerDevices(hass).includes(entity.device_id)) return null;
  return { config: { type: "custom:pv-load-manager-charger-card", device: entity.device_id } };
}

export function siteSuggestion(hass: Registry, entityId: string): Suggestion | null {
  if (hass.entities[entityId]?.platform !== "pv_load_manager" || chargerSuggestion(hass, entityId) !== null)
    return null;
  return { config: { type: "custom:pv-load-manager-site-card" } };
}

/** The day of a charger's event entity with its decisions. */
export function timelineSuggestion(hass: Registry, entityId: string): Suggestion | null {
  const entity = hass.entities[entityId];
  if (entity?.platform !== "pv_load_manager" || !entityId.startsWith("event.")) return null;
  const charger = chargerSuggestion(hass, entityId)?.config.device;
  return { config: { type: "custom:pv-load-manager-timeline-card", ...(charger === undefined ? {} : { charger }) } };
}
