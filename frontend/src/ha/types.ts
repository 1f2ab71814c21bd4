/** The few parts of Home Assistant's frontend that this module uses. */

export interface HassEntity {
  entity_id: string;
  state: string;
  attributes: Record<string, unknown>;
  /** ISO 8601. */
  last_changed: string;
  last_updated: string;
}

/** An entity as the frontend's registry knows it. */
export interface RegistryEntry {
  entity_id: string;
  name?: string | null;
  device_id?: string;
  platform?: string;
  translation_key?: string;
  entity_category?: "config" | "diagnostic";
  hidden?: boolean;
}

export interface Device {
  id: string;
  name?: string | null;
  name_by_user?: string | null;
  model?: string | null;
  sw_version?: string | null;
}

export interface Connection {
  /** Resolves with what ends the subscription; rejects with `{code, message}` where the command is refused. */
  subscribeMessage<T>(
    callback: (message: T) => void,
    message: Record<string, unknown>,
    options?: { resubscribe?: boolean },
  ): Promise<() => Promise<void> | void>;
  addEventListener(event: string, callback: () => void): void;
  removeEventListener(event: string, callback: () => void): void;
}

export interface HomeAssistant {
  states: Record<string, HassEntity | undefined>;
  entities: Record<string, RegistryEntry | undefined>;
  devices?: Record<string, Device | undefined>;
  connection: Connection;
  connected: boolean;
  language: string;
  locale: { language: string; number_format: string; time_format: string; time_zone: string };
  config: { time_zone: string; state: string; language?: string; components?: string[] };
  themes: { darkMode: boolean };
  user?: { id: string; is_admin: boolean; name: string };
  localize(key: string, placeholders?: Record<string, string | number>): string;
  /** Resolves with a `localize` that knows the texts of an integration. */
  loadBackendTranslation?(category: string, integration: string): Promise<HomeAssistant["localize"]>;
  formatEntityState(entity: HassEntity, state?: string): string;
  formatEntityAttributeValue?(entity: HassEntity, attribute: string, value?: unknown): string;
  formatEntityName?(entity: HassEntity, type?: unknown): string;
  /** Rejects with `{code, message}` or an Error. */
  callService(
    domain: string,
    action: string,
    data?: Record<string, unknown>,
    target?: { entity_id?: string | string[] },
    notifyOnError?: boolean,
  ): Promise<unknown>;
  /** Rejects with `{code, message}`. */
  callWS<T>(message: Record<string, unknown>): Promise<T>;
}

/** What Home Assistant's card picker and sections ask a card. */
export interface GridOptions {
  columns?: number | "full";
  rows?: number | "auto";
  min_columns?: number;
  min_rows?: number;
}

/** A card of a dashboard: `type` and whatever that card knows. */
export interface CardConfig {
  type: string;
  [option: string]: unknown;
}
