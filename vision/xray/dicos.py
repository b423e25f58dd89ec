"""A scan as DICOS V03 (NEMA IIC 1), and pydicom's one door: DX for each energy, TDR for what was said of it.

A DICOS file is a DICOM Part 10 file with SOP classes and attributes of its own. Pictures are JPEG 2000 lossless,
transmission on the archive's scale; 0, not measured, is the padding value. What the standard demands and a scanner's
lines do not tell (tube current, effective energy) is written as 0; nothing is made up.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

import pydicom
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless

from drivers.readings import Instant
from vision.xray.exchange import MAKER, Judgement, Mark, Parcel, uid
from vision.xray.scan import NOT_MEASURED, Energy

dicom: Any = pydicom

DX_CLASS: Final = "1.2.840.10008.5.1.4.1.1.501.2.2"
"""DICOS Digital X-Ray Image Storage, For Processing."""
TDR_CLASS: Final = "1.2.840.10008.5.1.4.1.1.501.3"
VERSION: Final = "V03"
IMPLEMENTATION: Final = uid("quaygate", "implementation")
LETTERS: Final = "ISO_IR 192"
"""UTF-8: plates have Chinese letters."""
LONG_STRING: Final = 64
SHORT_STRING: Final = 16
ALARM: Final = {"clear": "CLEAR", "suspect": "ALARM", "open": "ALARM", "again": "UNKNOWN"}
ENCODING: Final = ("100001", "DCS", "Text Encoding")
"""How an operator's name is told (context DCS4): as text, not as a barcode or a tag."""


def dx(parcel: Parcel, energy: Energy) -> bytes:
    """One instance, a whole file."""
    instance = uid(parcel.ref.digest, energy.value)
    made = _common(parcel, DX_CLASS, instance, "DX")
    picture = parcel.picture.of(energy)
    geometry = parcel.geometry
    made.ImageType = ["ORIGINAL", "PRIMARY"]
    made.PresentationIntentType = "FOR PROCESSING"
    made.SeriesDescription = "dual energy transmission" if len(parcel.energies) > 1 else "transmission"
    made.InstanceNumber = str(1 + list(Energy).index(energy))
    made.AcquisitionNumber = "1"
    made.add_new(0x00180060, "DS", f"{parcel.mev(energy) * 1000:g}")
    made.add_new(0x00188151, "DS", "0")
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.Rows, made.Columns = picture.shape
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit = 15
    made.PixelRepresentation = 0
    made.PixelPaddingValue = NOT_MEASURED
    made.PixelIntensityRelationship = "LIN"
    made.PixelIntensityRelationshipSign = 1
    made.RescaleIntercept, made.RescaleSlope, made.RescaleType = "0", "1", "US"
    made.PresentationLUTShape = "IDENTITY"
    made.LossyImageCompression = "00"
    made.BurnedInAnnotation = "NO"
    made.PixelSpacing = [f"{abs(geometry.pixel_mm()):.6g}", f"{geometry.pitch_mm:.6g}"]
    made.PixelSpacingCalibrationType = "GEOMETRY"
    made.PixelSpacingCalibrationDescription = "at the middle plane of the lane"
    made.DetectorType = "SCINTILLATOR"
    made.AcquisitionContextSequence = Items([])
    made.add_new(0x43000902, "FL", 0.0)
    made.add_new(0x00082108, "CS", "RHS")
    made.add_new(0x00080118, "CS", "MACHINE")
    made.DistanceSourceToDetector = f"{geometry.detector_mm:.6g}"
    made.DistanceSourceToPatient = f"{geometry.middle_mm:.6g}"
    # The picture's first pixel is the highest of the truck's front: x along the truck, y downwards.
    made.ImagePositionPatient = ["0", "0", "0"]
    made.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    made.PatientOrientation = ["", ""]
    made.PixelData = encapsulate([bytes(encode_array(picture, 16, photometric_interpretation=2))])
    made["PixelData"].is_undefined_length = True
    return _file(made, DX_CLASS, instance, JPEG2000Lossless)


def tdr(parcel: Parcel, said: Judgement) -> bytes:
    """What was said of the scan, a whole file: a threat object a mark, on the high energy's instance."""
    instance = uid(parcel.ref.digest, f"tdr/{said.finding}/{said.at}")
    made = _common(parcel, TDR_CLASS, instance, "TDR")
    made.SeriesInstanceUID = uid(parcel.ref.digest, "tdr")
    made.InstanceNumber = "1"
    made.ContentDate, made.ContentTime = _date_time(said.at)
    about = _reference(parcel, Energy.HE)
    made.ReferencedStudySequence = Items([about])
    made.OperatorIdentificationSequence = Items([_operator(person, parcel.head.site) for person in said.persons[-1:]])
    alarm = ALARM[said.finding]
    made.add_new(0x40101027, "CS", "OPERATOR")
    made.add_new(0x40101024, "CS", "SUCCESS")
    made.add_new(0x4010102B, "DT", _moment(said.at))
    made.add_new(0x40101031, "CS", alarm)
    made.add_new(0x40101033, "US", len(said.marks))
    made.add_new(0x40101034, "US", len(said.marks) if alarm == "ALARM" else 0)
    made.add_new(0x40101011, "SQ", Items([_threat(n, mark, said, about) for n, mark in enumerate(said.marks, 1)]))
    made.add_new(0x40101064, "SQ", Items([]))
    made.add_new(0x40101069, "FL", 1000 * max(0.0, said.at - said.began))
    made.add_new(0x4010106D, "CS", "NO")
    made.add_new(0x40101075, "FD", 1.0)
    return _file(made, TDR_CLASS, instance, ExplicitVRLittleEndian)


def read(data: bytes) -> Any:
    """A data set of pydicom's; for tests and for who looks into a file. Raises pydicom's InvalidDicomError."""
    return dicom.dcmread(BytesIO(data))


def _common(parcel: Parcel, sop_class: str, instance: str, modality: str) -> Dataset:
    """What every object of DICOS says of the scan, the truck and the scanner."""
    ref, made = parcel.ref, Dataset()
    made.SpecificCharacterSet = LETTERS
    made.InstanceCreationDate, made.InstanceCreationTime = _date_time(ref.ended)
    made.SOPClassUID, made.SOPInstanceUID = sop_class, instance
    date, time = _date_time(ref.started)
    made.StudyDate = made.SeriesDate = made.ContentDate = made.AcquisitionDate = date
    made.StudyTime = made.SeriesTime = made.ContentTime = made.AcquisitionTime = time
    made.Modality = modality
    made.Manufacturer = MAKER
    made.ManufacturerModelName = MAKER
    made.InstitutionName = parcel.head.site[:LONG_STRING]
    made.InstitutionAddress = parcel.head.site
    made.StationName = ref.scanner[:SHORT_STRING]
    made.InstitutionalDepartmentName = ""
    made.DeviceSerialNumber = ref.scanner[:LONG_STRING]
    made.SoftwareVersions = VERSION
    made.DateOfLastCalibration, made.TimeOfLastCalibration = _date_time(parcel.head.calibration.air_at)
    made.PatientID = _name(parcel)
    made.IssuerOfPatientID = parcel.head.site[:LONG_STRING]
    made.TypeOfPatientID = "TEXT"
    made.PatientSex = "U"
    made.StudyInstanceUID = uid(ref.digest, "study")
    made.SeriesInstanceUID = uid(ref.digest, "series")
    made.FrameOfReferenceUID = uid(ref.digest, "frame")
    made.StudyID = ref.digest[:SHORT_STRING]
    made.SeriesNumber = "1"
    made.PositionReferenceIndicator = ""
    made.add_new(0x4010103A, "CS", VERSION)
    made.add_new(0x40101042, "CS", "CARGO")
    made.add_new(0x40101044, "CS", "UNSUCCESSFUL" if ref.torn else "SUCCESSFUL")
    made.add_new(0x40101048, "CS", "OPERATIONAL")
    return made


def _name(parcel: Parcel) -> str:
    """Of the object that was looked at: its containers, else its plate, else the scan's own."""
    about = parcel.ref.subject
    return ("+".join(about.containers) or about.plate or parcel.ref.digest)[:LONG_STRING]


def _operator(person: str, site: str) -> Dataset:
    item = Dataset()
    encoding = _code(*ENCODING)
    encoding.ContextIdentifier, encoding.MappingResource = "DCS4", "DCS"
    encoding.ContextGroupVersion = "19700101000000.000000"
    item.PersonIdentificationCodeSequence = Items([_code(person[:SHORT_STRING], "99QUAYGATE", person), encoding])
    item.InstitutionName = site[:LONG_STRING]
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning[:LONG_STRING]
    return item


def _threat(number: int, mark: Mark, said: Judgement, about: Dataset) -> Dataset:
    place = Dataset()
    place.add_new(0x40101004, "FL", [0.0, float(mark.y), float(mark.x)])  # z, y, x
    place.add_new(0x40101005, "FL", [1.0, float(mark.height), float(mark.width)])
    place.add_new(0x40101006, "OB", _full(mark.width * mark.height))
    shown, assessed, item = Dataset(), Dataset(), Dataset()
    shown.ReferencedInstanceSequence = Items([about])
    shown.add_new(0x40101001, "SQ", Items([place]))
    assessed.add_new(0x40101012, "CS", "ANOMALY")
    assessed.add_new(0x40101013, "LT", mark.note)
    assessed.add_new(0x40101014, "CS", "NO_INTERFERENCE")
    assessed.add_new(0x40101015, "CS", {"ALARM": "THREAT", "CLEAR": "NO_THREAT"}.get(ALARM[said.finding], "UNKNOWN"))
    item.add_new(0x40101010, "US", number)
    item.add_new(0x40101037, "SQ", Items([shown]))
    item.add_new(0x40101038, "SQ", Items([assessed]))
    item.add_new(0x40101080, "DT", _moment(said.began))
    item.add_new(0x40101081, "DT", _moment(said.at))
    item.add_new(0x40101082, "FL", 1000 * max(0.0, said.at - said.began))
    return item


def _full(bits: int) -> bytes:
    """A box is marked whole: so many ones, the lowest bit first, padded to an even count of bytes."""
    whole = (b"\xff" * (bits // 8)) + (bytes([(1 << bits % 8) - 1]) if bits % 8 else b"")
    return whole + bytes(len(whole) % 2)


def _reference(parcel: Parcel, energy: Energy) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = DX_CLASS, uid(parcel.ref.digest, energy.value)
    return item


def _file(made: Dataset, sop_class: str, instance: str, syntax: str) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(instance)
    meta.add_new(0x00020004, "CS", VERSION)
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID, meta.ImplementationVersionName = UID(IMPLEMENTATION), MAKER
    made.file_meta = meta
    file = BytesIO()
    dicom.dcmwrite(file, made, enforce_file_format=True)
    return file.getvalue()


def _date_time(at: Instant) -> tuple[str, str]:
    when = datetime.fromtimestamp(at, UTC)
    return f"{when:%Y%m%d}", f"{when:%H%M%S.%f}"


def _moment(at: Instant) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%d%H%M%S.%f}+0000"


__all__: Sequence[str] = ["DX_CLASS", "TDR_CLASS", "dx", "read", "tdr"]
