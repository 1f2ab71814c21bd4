import { describe, expect, it } from "vitest";
import { act, failureOf } from "../src/actions";
import { type Call, hassOf } from "./charger-home";

describe("act", () => {
  it("calls the action for the entity and leaves the telling of failures to the card", async () => {
    const calls: Call[] = [];
    expect(await act(hassOf({}, calls), "select.select_option", "select.garage", { option: "pv" })).toBeUndefined();
    expect(calls).toEqual([["select", "select_option", { option: "pv" }, { entity_id: "select.garage" }, false]]);
  });

  it("sends nothing while there is no connection: it would arrive much later", async () => {
    const calls: Call[] = [];
    const failure = await act(hassOf({ connected: false }, calls), "select.select_option", "select.garage");
    expect(failure?.kind).toBe("connection_lost");
    expect(calls).toEqual([]);
  });

  it("says why something was refused", async () => {
    for (const code of ["unauthorized", "home_assistant_error"]) {
      const callService = () => Promise.reject({ code, message: "Unauthorized" });
      const failure = await act(hassOf({ callService }), "select.select_option", "select.garage");
      expect(failure).toMatchObject({ kind: "no_permission", text: expect.stringContaining("administrator") });
    }
  });
});

describe("failureOf", () => {
  it("tells a connection that broke meanwhile from a refusal", async () => {
    expect((await failureOf(hassOf(), { error: { code: 3, message: "Connection lost" } })).kind).toBe(
      "connection_lost",
    );
    expect((await failureOf(hassOf(), { code: 3 })).kind).toBe("connection_lost");
  });

  it("prefers the integration's message in the user's language", async () => {
    const rejected = {
      code: "service_validation_error",
      message: "Validation error: off is the last word",
      translation_domain: "pv_load_manager",
      translation_key: "override_while_off",
      translation_placeholders: { name: "Garage" },
    };
    const loadBackendTranslation: NonNullable<ReturnType<typeof hassOf>["loadBackendTranslation"]> =
      async (category, domain) => (key, values) =>
        `${category} ${domain} ${key} ${values?.name}`;
    expect(await failureOf(hassOf({ loadBackendTranslation }), rejected)).toEqual({
      kind: "refused",
      text: "exceptions pv_load_manager component.pv_load_manager.exceptions.override_while_off.message Garage",
    });
    const without = hassOf({ loadBackendTranslation: () => Promise.reject(new Error("offline")) });
    expect((await failureOf(without, rejected)).text).toBe(rejected.message);
  });

  it("has words even where nothing was said", async () => {
    const failure = await failureOf(hassOf({ language: "de" }), undefined);
    expect(failure).toMatchObject({ kind: "refused", text: expect.stringContaining("Protokoll") });
  });
});
