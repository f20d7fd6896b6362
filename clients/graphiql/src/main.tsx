import "./workers";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "./landfall.css";
import "./narrow.css";
import { createRoot } from "react-dom/client";
import { createApp } from "./App";
import { installAutomation } from "./automation";
import { readConfig } from "./config";

installAutomation();
const App = createApp(readConfig());
createRoot(document.getElementById("landfall")!).render(<App />);
