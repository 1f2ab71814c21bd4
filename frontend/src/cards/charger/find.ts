import type { HomeAssistant } from "../../ha/types";
import type { Home, HomeCharger } from "../../model";

export interface Wanted {
  /** Id of the charger's device. */
  device?: string;
  /** Any entity of the charger. */
  entity?: string;
}

/** The charger that a card is for: the one that was chosen, else the only one. */
export function chargerOf(hass: Pick<HomeAssistant, "entities">, home: Home, wanted: Wanted): HomeCharger | undefined {
  const { device, entity } = wanted;
  if (device) return home.chargers.find((charger) => charger.device_id === device);
  if (entity) {
    const owner = hass.entities[entity]?.device_id;
    return home.chargers.find(
      (charger) => (owner && charger.device_id === owner) || Object.values(charger.entities).includes(entity),
    );
  }
  return home.chargers.length === 1 ? home.chargers[0] : undefined;
}
