"""CIF of a result: a block for each refined phase and one for the pattern (CIF core and pdCIF names)."""

from __future__ import annotations

import gemmi
import numpy as np

from mixrd.analysis.inputs.exclusion import within_regions
from mixrd.export.export_format import export_format
from mixrd.export.handover import HandedPhase, Handover
from mixrd.export.symmetry import labelled_sites, space_group

_CELL_TAGS = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


@export_format("cif")
def cif_files(given: Handover) -> dict[str, str]:
    """``STEM.cif``."""
    document = gemmi.cif.Document()
    for phase in given.phases:
        add_phase(document, phase)
    _add_pattern(document, given)
    return {f"{given.stem}.cif": document.as_string()}


def phase_cif(phase: HandedPhase) -> str:
    """CIF of one phase alone."""
    document = gemmi.cif.Document()
    add_phase(document, phase)
    return str(document.as_string())


def add_phase(document: gemmi.cif.Document, phase: HandedPhase) -> None:
    """Add a block with cell, symmetry and sites."""
    crystal = phase.crystal
    block = document.add_new_block(phase.file_stem)
    block.set_pair("_pd_phase_name", gemmi.cif.quote(phase.name))
    block.set_pair("_chemical_formula_sum", gemmi.cif.quote(_formula_sum(phase)))
    sigmas = phase.cell_sigma or (0.0,) * 6
    for tag, value, sigma in zip(_CELL_TAGS, crystal.cell, sigmas, strict=True):
        block.set_pair(f"_cell_{tag}", with_sigma(value, sigma))
    block.set_pair("_cell_volume", f"{crystal.volume:.4f}")
    block.set_pair("_exptl_crystal_density_diffrn", f"{crystal.density_g_cm3:.4f}")
    group = space_group(crystal)
    symbol = crystal.space_group if group is None else group.xhm()
    block.set_pair("_space_group_name_H-M_alt", gemmi.cif.quote(symbol))
    if group is not None:
        block.set_pair("_symmetry_space_group_name_H-M", gemmi.cif.quote(group.hm))
        block.set_pair("_space_group_IT_number", str(group.number))
    loop = block.init_loop("_space_group_symop_", ["id", "operation_xyz"])
    for number, operation in enumerate(crystal.symmetry_operations, start=1):
        loop.add_row([str(number), gemmi.cif.quote(operation)])
    _add_sites(block, phase)


def _add_sites(block: gemmi.cif.Block, phase: HandedPhase) -> None:
    sites = labelled_sites(phase.crystal)
    columns = ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy",
               "adp_type", "U_iso_or_equiv"]  # fmt: skip
    loop = block.init_loop("_atom_site_", columns)
    for label, site in sites:
        kind = "Uiso" if site.u_aniso is None else "Uani"
        position = [f"{x:.7g}" for x in site.fract]
        loop.add_row([label, site.element, *position, f"{site.occupancy:g}", kind, f"{site.u_iso:.6f}"])
    tensors = [(label, site.u_aniso) for label, site in sites if site.u_aniso is not None]
    if tensors:
        names = ["label", "U_11", "U_22", "U_33", "U_12", "U_13", "U_23"]
        loop = block.init_loop("_atom_site_aniso_", names)
        for label, tensor in tensors:
            loop.add_row([label, *(f"{u:.10f}" for u in tensor)])


def _add_pattern(document: gemmi.cif.Document, given: Handover) -> None:
    block = document.add_new_block(f"{given.stem}_pattern")
    machine = given.instrument
    block.set_pair("_pd_meas_info_author_name", "?")
    block.set_pair("_pd_proc_info_data_reduction", gemmi.cif.quote(given.source))
    if given.statement:
        block.set_pair("_pd_proc_info_special_details", gemmi.cif.quote(given.statement))
    block.set_pair("_pd_meas_number_of_points", str(len(given.two_theta)))
    block.set_pair("_pd_instr_dist_spec/detc", f"{machine.goniometer_radius_mm:g}")
    block.set_pair("_diffrn_radiation_polarisn_ratio", f"{1 / given.perpendicular - 1:.5f}")
    block.set_pair("_pd_calib_2theta_offset", f"{given.zero_deg:.5f}")
    profile = machine.profile
    widths = ", ".join(f"{k} = {getattr(profile, k):.6g}" for k in ("u", "v", "w", "x", "y", "sh_l"))
    text = (
        "Thompson-Cox-Hastings pseudo-Voigt: Gaussian fwhm^2 = u tan^2 + v tan + w (deg^2), "
        f"Lorentzian fwhm = x / cos + y tan (deg), axial divergence sh_l = (S + H) / L: {widths}; "
        f"sample displacement {given.displacement_mm:.5f} mm"
    )
    block.set_pair("_pd_proc_ls_profile_function", gemmi.cif.quote(text))
    if given.excluded:
        regions = ", ".join(f"{low:g} to {high:g}" for low, high in given.excluded)
        block.set_pair("_pd_proc_info_excluded_regions", gemmi.cif.quote(f"{regions} deg in 2theta"))
    loop = block.init_loop("_diffrn_radiation_wavelength_", ["id", "value", "wt"])
    for number, (wavelength, weight) in enumerate(given.lines, start=1):
        loop.add_row([str(number), f"{wavelength:.7f}", f"{weight:.5f}"])
    loop = block.init_loop("_pd_phase_", ["id", "block_id", "mass_%"])
    for phase in given.phases:
        stated = phase.weight_percent
        percent = "?" if stated is None else with_sigma(stated, phase.weight_sigma or 0.0)
        loop.add_row([phase.file_stem, phase.file_stem, percent])
    names = ["_pd_meas_2theta_scan", "_pd_meas_counts_total", "_pd_proc_ls_weight", "_pd_calc_bkg"]
    loop = block.init_loop("", names)
    level = np.interp(given.two_theta, *given.background.T)
    weights = np.where(within_regions(given.two_theta, given.excluded), 0.0, given.sigma**-2.0)
    for x, y, w, b in zip(given.two_theta, given.counts, weights, level, strict=True):
        loop.add_row([f"{x:.6f}", f"{y:.4f}", f"{w:.6g}", f"{b:.3f}"])


def with_sigma(value: float, sigma: float) -> str:
    """A number with its standard uncertainty in the last digits, as CIF writes it: 4.7592(12)."""
    if not 0 < sigma < 1e3:
        return f"{value:.6f}".rstrip("0").rstrip(".")
    digits = max(0, 1 - int(np.floor(np.log10(sigma))))
    return f"{value:.{digits}f}({max(1, round(sigma * 10**digits))})"


def _formula_sum(phase: HandedPhase) -> str:
    content = phase.crystal.cell_content
    units = phase.crystal.formula_units
    order = sorted(content, key=lambda e: (e != "C", e != "H", e) if "C" in content else (0, 0, e))
    return " ".join(f"{element}{content[element] / units:g}" for element in order)
