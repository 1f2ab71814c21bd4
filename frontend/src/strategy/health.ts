import type { CardConfig } from "../ha/types";
import type { Owner } from "../model";
import { DEVICE_NAME, heading, markdown, plain, rows, section, sized, type View, view, wide } from "./layout";
import type { Site } from "./site";

/** Of the load manager, what says that all is well. */
const MANAGER = ["sensor.state", "binary_sensor.dimmed", "binary_sensor.watchdog"];

/** Whether everything works: repairs, connections, meters with their last change, diagnoses, versions. */
export function healthView(site: Site): View {
  const { text, home, chargers, many } = site;
  const { manager, inverters } = home;
  const owners = [...(manager === null ? [] : [manager]), ...inverters, ...chargers];
  const connections = rows(
    [...inverters, ...chargers].flatMap((owner) => site.ids(owner, "binary_sensor.connected")),
    { name: DEVICE_NAME, secondary_info: "last-changed" },
  );
  // A figure that stands still for long is a meter that is silent, or a house that sleeps: the stage above says which.
  const { grid_power, pv_power, battery_power, battery_soc } = home.figures;
  const { minus } = home;
  const ids = [
    ...[...grid_power, ...minus.grid_power, ...pv_power, ...battery_power, ...minus.battery_power],
    ...(battery_soc === null ? [] : [battery_soc]),
  ];
  const figures = rows(ids, { secondary_info: "last-updated" });
  // A page of each of many chargers has its own.
  const devices = [...inverters, ...(many ? [] : chargers)].map((owner) =>
    section(
      heading(
        owner.name,
        inverters.some((one) => one === owner) ? "mdi:solar-power" : "mdi:chip",
        site.devicePage(owner),
      ),
      rows(site.rest(owner, "diagnostic", ["binary_sensor.connected"]), { secondary_info: "last-updated" }),
    ),
  );
  return view("health", text("view.health"), "mdi:heart-pulse", [
    wide(sized({ type: "repairs" }, { rows: 1 })),
    section(heading(text("strategy.connections"), "mdi:lan-connect"), connections),
    ...(manager === null
      ? []
      : [
          section(
            heading(manager.name, "mdi:home-lightning-bolt", site.devicePage(manager)),
            rows([...site.ids(manager, ...MANAGER), ...site.rest(manager, "diagnostic", MANAGER)], {
              secondary_info: "last-changed",
            }),
          ),
        ]),
    section(heading(text("strategy.figures"), "mdi:meter-electric"), figures),
    ...devices,
    wide(heading(text("strategy.devices"), "mdi:information-outline"), versions(site, owners)),
    wide(site.admin ? markdown(text("strategy.help")) : undefined),
  ]);
}

/** Models and firmware of all devices, and the version of this very module. */
function versions(site: Site, owners: readonly Owner[]): CardConfig {
  const { text, hass } = site;
  const lines = owners.map((owner) => {
    const device = hass.devices?.[owner.device_id ?? ""];
    const path = site.devicePage(owner);
    const name = path === undefined ? plain(owner.name) : `[${plain(owner.name)}](${path})`;
    return [name, plain(device?.model ?? "–"), plain(device?.sw_version ?? "–")];
  });
  const table = [
    [text("strategy.device"), text("strategy.model"), text("strategy.firmware")],
    ["---", "---", "---"],
    ...lines,
    [text("strategy.module"), "PV Load Manager", new URL(import.meta.url).searchParams.get("v") ?? "–"],
  ];
  return sized({ type: "markdown", content: table.map((row) => `| ${row.join(" | ")} |`).join("\n") });
}
