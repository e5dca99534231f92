export default {
  "da": {
    "title": "Tidsstudie af forflytninger", "language": "Sprog", "home": "Hjem", "resident": "Beboerens kode (intet navn)",
    "kind": "Type", "planned": "Medarbejdere efter vurderingen", "list": "Målte forflytninger",
    "purpose": "Tryk Start, når den første medarbejder er hos beboeren, og Slut, når sejlet er af. Alt bliver i denne browser, til filen gemmes. Skriv ingen navne.",
    "start": "Start: den første er her", "join": "Én mere er kommet", "leave": "Én er gået", "end": "Slut: gennemført",
    "fallback": "Slut: en ekstra måtte tilkaldes", "abort": "Afbrudt", "undo": "Fortryd start", "save": "Gem som CSV", "clear": "Slet listen",
    "here": "Medarbejdere hos beboeren", "fill": "Udfyld hjem og beboerens kode først", "sure": "Slet alle målinger, også dem der ikke er gemt?", "stored": "Gemt i browseren",
    "sit-stand": "Rejse sig", "bed-chair": "Seng → stol", "chair-bed": "Stol → seng",
    "bed-toilet": "Seng → toilet", "toilet-bed": "Toilet → seng", "chair-toilet": "Stol → toilet", "toilet-chair": "Toilet → stol",
    "completed": "gennemført", "fallback2": "ekstra tilkaldt", "aborted": "afbrudt"
  },
  "sv": {
    "title": "Tidsstudie av förflyttningar", "language": "Språk", "home": "Boende", "resident": "Den boendes kod (inget namn)",
    "kind": "Typ", "planned": "Medarbetare enligt bedömningen", "list": "Mätta förflyttningar",
    "purpose": "Tryck Start när den första medarbetaren är hos den boende, och Slut när selen är av. Allt stannar i denna webbläsare tills filen sparas. Skriv inga namn.",
    "start": "Start: den första är här", "join": "En till har kommit", "leave": "En har gått", "end": "Slut: genomförd",
    "fallback": "Slut: en extra fick tillkallas", "abort": "Avbruten", "undo": "Ångra start", "save": "Spara som CSV", "clear": "Radera listan",
    "here": "Medarbetare hos den boende", "fill": "Fyll i boende och kod först", "sure": "Radera alla mätningar, även de som inte sparats?", "stored": "Sparad i webbläsaren",
    "sit-stand": "Resa sig", "bed-chair": "Säng → stol", "chair-bed": "Stol → säng",
    "bed-toilet": "Säng → toalett", "toilet-bed": "Toalett → säng", "chair-toilet": "Stol → toalett", "toilet-chair": "Toalett → stol",
    "completed": "genomförd", "fallback2": "extra tillkallad", "aborted": "avbruten"
  },
  "en": {
    "title": "Time study of transfers", "language": "Language", "home": "Home", "resident": "The resident's code (no name)",
    "kind": "Kind", "planned": "Carers by the assessment", "list": "Measured transfers",
    "purpose": "Press Start when the first carer is with the resident, and End when the sling is off. Everything stays in this browser until the file is saved. Write no names.",
    "start": "Start: the first is here", "join": "One more has come", "leave": "One has left", "end": "End: completed",
    "fallback": "End: an extra carer was called", "abort": "Aborted", "undo": "Undo start", "save": "Save as CSV", "clear": "Delete the list",
    "here": "Carers with the resident", "fill": "Fill in home and the resident's code first", "sure": "Delete all measurements, also those not saved?", "stored": "Stored in the browser",
    "sit-stand": "Stand up", "bed-chair": "Bed → chair", "chair-bed": "Chair → bed",
    "bed-toilet": "Bed → toilet", "toilet-bed": "Toilet → bed", "chair-toilet": "Chair → toilet", "toilet-chair": "Toilet → chair",
    "completed": "completed", "fallback2": "extra called", "aborted": "aborted"
  }
}
