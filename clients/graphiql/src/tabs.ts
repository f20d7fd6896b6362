import { pick, useGraphiQL } from "@graphiql/react";

/** Fills the editors of the active tab. */
export function useSetQuery() {
  const { queryEditor, variableEditor, responseEditor } = useGraphiQL(
    pick("queryEditor", "variableEditor", "responseEditor"),
  );
  return (query: string, variables: string) => {
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
    responseEditor?.setValue("");
  };
}
