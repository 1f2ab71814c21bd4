import type { Texts } from "./index";

export const de: Texts = {
  "site.title": "PV Load Manager",
  "site.description": "Energiefluss, Stromkreise und Wallboxen des Hauses, mit der Begründung für jedes Auto.",
  "charger.title": "Wallbox",
  "charger.description": "Eine Wallbox: Modus, Strom, Begründung, Ladevorgang und Vorgabe.",
  "timeline.title": "Zeitverlauf des Ladens",
  "timeline.description":
    "Überschuss, Ladeleistung und Netzleistung des Tages, mit jeder Entscheidung und ihrer Begründung.",
  "strategy.name": "PV Load Manager",
  "strategy.description":
    "Ein ganzes Dashboard, das sich selbst füllt: Jetzt, Wallboxen, Verlauf, Einstellungen und Zustand.",
  "view.now": "Jetzt",
  "view.chargers": "Wallboxen",
  "view.history": "Verlauf",
  "view.settings": "Einstellungen",
  "view.health": "Zustand",
  loading: "Wird geladen …",
};
