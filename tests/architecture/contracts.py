"""The import contract that import-linter lacks: what may be imported, rather than what may not.

A deny-list of the standard library would miss the module that nobody thought of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from grimp import ImportGraph

# A directive, not a module that is loaded.
FREE = {"__future__"}


class AllowedExternalsContract(Contract):
    """Keeps every module under `source_modules` to the external packages in `allowed`.

    Imports inside functions count as well: what they cost is merely paid later. Externals are known
    by their top-level name only, since import-linter's graph squashes them.
    """

    type_name = "allowed_externals"

    source_modules = fields.ListField(subfield=fields.ModuleField())
    allowed = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Return a broken check that carries every (importer, imported) pair off the list."""
        allowed = FREE.union(self.allowed)  # type: ignore[arg-type]  # a field until it is read
        illegal = sorted(
            (importer, imported)
            for importer in self._sources(graph)
            for imported in graph.find_modules_directly_imported_by(importer)
            if graph.is_module_squashed(imported) and imported not in allowed
        )
        return ContractCheck(kept=not illegal, metadata={"illegal": illegal})

    def _sources(self, graph: ImportGraph) -> set[str]:
        packages = {module.name for module in self.source_modules}  # type: ignore[attr-defined]
        return packages.union(*(graph.find_descendants(package) for package in packages))

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each import that is not on the list, one a line."""
        for importer, imported in check.metadata["illegal"]:
            output.print_error(f"{importer} imports {imported}, which is not on the allow-list")
