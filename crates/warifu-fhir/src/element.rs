//! Top-level elements of the resources Warifu writes, in the order of the R4 definitions.

/// A top-level element of a resource type: a pointer, since the mapping hands hundreds of them on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element(&'static Definition);

#[derive(Debug, PartialEq, Eq)]
struct Definition {
    /// JSON property name as it stands before a value: `,"name":`.
    key: &'static str,
    order: u8,
    repeats: bool,
}

impl Element {
    pub(crate) fn key(self) -> &'static str {
        self.0.key
    }
    /// Place in the resource's definition, below 64.
    pub fn order(self) -> u8 {
        self.0.order
    }
    /// Whether it is a JSON array.
    pub fn repeats(self) -> bool {
        self.0.repeats
    }
    /// JSON property name, e.g. `name`, `valueQuantity`.
    pub fn name(self) -> &'static str {
        let quoted = self.0.key.strip_prefix(",\"");
        quoted.and_then(|k| k.strip_suffix("\":")).unwrap_or("")
    }
    /// Whether both are one element. Mostly they are one and the same constant.
    pub(crate) fn is(self, other: Self) -> bool {
        std::ptr::eq(self.0, other.0) || self.0.order == other.0.order && self == other
    }
}

/// `meta`.
pub const META: Element = Element(&Definition {
    key: ",\"meta\":",
    order: 1,
    repeats: false,
});
/// `language`.
pub const LANGUAGE: Element = Element(&Definition {
    key: ",\"language\":",
    order: 3,
    repeats: false,
});
/// `text`.
pub const TEXT: Element = Element(&Definition {
    key: ",\"text\":",
    order: 4,
    repeats: false,
});
/// `contained`.
pub const CONTAINED: Element = Element(&Definition {
    key: ",\"contained\":",
    order: 5,
    repeats: true,
});
/// `extension`.
pub const EXTENSION: Element = Element(&Definition {
    key: ",\"extension\":",
    order: 6,
    repeats: true,
});
/// `modifierExtension`.
pub const MODIFIER_EXTENSION: Element = Element(&Definition {
    key: ",\"modifierExtension\":",
    order: 7,
    repeats: true,
});

macro_rules! elements {
    ($(#[$m:meta])* $module:ident { $($order:literal $id:ident $name:literal $repeats:literal),* $(,)? }) => {
        $(#[$m])*
        pub mod $module {
            use super::{Definition, Element};
            $(
                #[doc = concat!("`", $name, "`.")]
                pub const $id: Element = Element(&Definition { key: concat!(",\"", $name, "\":"), order: $order, repeats: $repeats });
            )*
        }
    };
}

elements! {
    /// Elements of Patient.
    patient {
        10 IDENTIFIER "identifier" true,
        11 ACTIVE "active" false,
        12 NAME "name" true,
        13 TELECOM "telecom" true,
        14 GENDER "gender" false,
        15 BIRTH_DATE "birthDate" false,
        16 X_BIRTH_DATE "_birthDate" false,
        17 DECEASED_BOOLEAN "deceasedBoolean" false,
        17 DECEASED_DATE_TIME "deceasedDateTime" false,
        18 ADDRESS "address" true,
        19 MARITAL_STATUS "maritalStatus" false,
        20 MULTIPLE_BIRTH_BOOLEAN "multipleBirthBoolean" false,
        20 MULTIPLE_BIRTH_INTEGER "multipleBirthInteger" false,
        21 PHOTO "photo" true,
        22 CONTACT "contact" true,
        23 COMMUNICATION "communication" true,
        24 GENERAL_PRACTITIONER "generalPractitioner" true,
        25 MANAGING_ORGANIZATION "managingOrganization" false,
        26 LINK "link" true,
    }
}

elements! {
    /// Elements of Encounter.
    encounter {
        10 IDENTIFIER "identifier" true,
        11 STATUS "status" false,
        12 STATUS_HISTORY "statusHistory" true,
        13 CLASS "class" false,
        14 CLASS_HISTORY "classHistory" true,
        15 TYPE "type" true,
        16 SERVICE_TYPE "serviceType" false,
        17 PRIORITY "priority" false,
        18 SUBJECT "subject" false,
        19 EPISODE_OF_CARE "episodeOfCare" true,
        20 BASED_ON "basedOn" true,
        21 PARTICIPANT "participant" true,
        22 APPOINTMENT "appointment" true,
        23 PERIOD "period" false,
        24 LENGTH "length" false,
        25 REASON_CODE "reasonCode" true,
        26 REASON_REFERENCE "reasonReference" true,
        27 DIAGNOSIS "diagnosis" true,
        28 ACCOUNT "account" true,
        29 HOSPITALIZATION "hospitalization" false,
        30 LOCATION "location" true,
        31 SERVICE_PROVIDER "serviceProvider" false,
        32 PART_OF "partOf" false,
    }
}

elements! {
    /// Elements of Condition.
    condition {
        10 IDENTIFIER "identifier" true,
        11 CLINICAL_STATUS "clinicalStatus" false,
        12 VERIFICATION_STATUS "verificationStatus" false,
        13 CATEGORY "category" true,
        14 SEVERITY "severity" false,
        15 CODE "code" false,
        16 BODY_SITE "bodySite" true,
        17 SUBJECT "subject" false,
        18 ENCOUNTER "encounter" false,
        19 ONSET_DATE_TIME "onsetDateTime" false,
        19 ONSET_STRING "onsetString" false,
        20 ABATEMENT_DATE_TIME "abatementDateTime" false,
        20 ABATEMENT_STRING "abatementString" false,
        21 RECORDED_DATE "recordedDate" false,
        22 RECORDER "recorder" false,
        23 ASSERTER "asserter" false,
        24 STAGE "stage" true,
        25 EVIDENCE "evidence" true,
        26 NOTE "note" true,
    }
}

elements! {
    /// Elements of AllergyIntolerance.
    allergy_intolerance {
        10 IDENTIFIER "identifier" true,
        11 CLINICAL_STATUS "clinicalStatus" false,
        12 VERIFICATION_STATUS "verificationStatus" false,
        13 TYPE "type" false,
        14 CATEGORY "category" true,
        15 CRITICALITY "criticality" false,
        16 CODE "code" false,
        17 PATIENT "patient" false,
        18 ENCOUNTER "encounter" false,
        19 ONSET_DATE_TIME "onsetDateTime" false,
        19 ONSET_STRING "onsetString" false,
        20 RECORDED_DATE "recordedDate" false,
        21 RECORDER "recorder" false,
        22 ASSERTER "asserter" false,
        23 LAST_OCCURRENCE "lastOccurrence" false,
        24 NOTE "note" true,
        25 REACTION "reaction" true,
    }
}

elements! {
    /// Elements of Coverage.
    coverage {
        10 IDENTIFIER "identifier" true,
        11 STATUS "status" false,
        12 TYPE "type" false,
        13 POLICY_HOLDER "policyHolder" false,
        14 SUBSCRIBER "subscriber" false,
        15 SUBSCRIBER_ID "subscriberId" false,
        16 BENEFICIARY "beneficiary" false,
        17 DEPENDENT "dependent" false,
        18 RELATIONSHIP "relationship" false,
        19 PERIOD "period" false,
        20 PAYOR "payor" true,
        21 CLASS "class" true,
        22 ORDER "order" false,
        23 NETWORK "network" false,
        24 COST_TO_BENEFICIARY "costToBeneficiary" true,
        25 SUBROGATION "subrogation" false,
        26 CONTRACT "contract" true,
    }
}

elements! {
    /// Elements of Observation.
    observation {
        10 IDENTIFIER "identifier" true,
        11 BASED_ON "basedOn" true,
        12 PART_OF "partOf" true,
        13 STATUS "status" false,
        14 CATEGORY "category" true,
        15 CODE "code" false,
        16 SUBJECT "subject" false,
        17 FOCUS "focus" true,
        18 ENCOUNTER "encounter" false,
        19 EFFECTIVE_DATE_TIME "effectiveDateTime" false,
        19 EFFECTIVE_PERIOD "effectivePeriod" false,
        20 ISSUED "issued" false,
        21 PERFORMER "performer" true,
        22 VALUE_QUANTITY "valueQuantity" false,
        22 VALUE_CODEABLE_CONCEPT "valueCodeableConcept" false,
        22 VALUE_STRING "valueString" false,
        22 VALUE_DATE_TIME "valueDateTime" false,
        23 DATA_ABSENT_REASON "dataAbsentReason" false,
        24 INTERPRETATION "interpretation" true,
        25 NOTE "note" true,
        26 BODY_SITE "bodySite" false,
        27 METHOD "method" false,
        28 SPECIMEN "specimen" false,
        29 DEVICE "device" false,
        30 REFERENCE_RANGE "referenceRange" true,
        31 HAS_MEMBER "hasMember" true,
        32 DERIVED_FROM "derivedFrom" true,
        33 COMPONENT "component" true,
    }
}

elements! {
    /// Elements of DiagnosticReport.
    diagnostic_report {
        10 IDENTIFIER "identifier" true,
        11 BASED_ON "basedOn" true,
        12 STATUS "status" false,
        13 CATEGORY "category" true,
        14 CODE "code" false,
        15 SUBJECT "subject" false,
        16 ENCOUNTER "encounter" false,
        17 EFFECTIVE_DATE_TIME "effectiveDateTime" false,
        17 EFFECTIVE_PERIOD "effectivePeriod" false,
        18 ISSUED "issued" false,
        19 PERFORMER "performer" true,
        20 RESULTS_INTERPRETER "resultsInterpreter" true,
        21 SPECIMEN "specimen" true,
        22 RESULT "result" true,
        23 IMAGING_STUDY "imagingStudy" true,
        24 MEDIA "media" true,
        25 CONCLUSION "conclusion" false,
        26 CONCLUSION_CODE "conclusionCode" true,
        27 PRESENTED_FORM "presentedForm" true,
    }
}

elements! {
    /// Elements of Specimen.
    specimen {
        10 IDENTIFIER "identifier" true,
        11 ACCESSION_IDENTIFIER "accessionIdentifier" false,
        12 STATUS "status" false,
        13 TYPE "type" false,
        14 SUBJECT "subject" false,
        15 RECEIVED_TIME "receivedTime" false,
        16 PARENT "parent" true,
        17 REQUEST "request" true,
        18 COLLECTION "collection" false,
        19 PROCESSING "processing" true,
        20 CONTAINER "container" true,
        21 CONDITION "condition" true,
        22 NOTE "note" true,
    }
}

elements! {
    /// Elements of ServiceRequest.
    service_request {
        10 IDENTIFIER "identifier" true,
        11 INSTANTIATES_CANONICAL "instantiatesCanonical" true,
        12 INSTANTIATES_URI "instantiatesUri" true,
        13 BASED_ON "basedOn" true,
        14 REPLACES "replaces" true,
        15 REQUISITION "requisition" false,
        16 STATUS "status" false,
        17 INTENT "intent" false,
        18 CATEGORY "category" true,
        19 PRIORITY "priority" false,
        20 DO_NOT_PERFORM "doNotPerform" false,
        21 CODE "code" false,
        22 ORDER_DETAIL "orderDetail" true,
        23 QUANTITY_QUANTITY "quantityQuantity" false,
        24 SUBJECT "subject" false,
        25 ENCOUNTER "encounter" false,
        26 OCCURRENCE_DATE_TIME "occurrenceDateTime" false,
        26 OCCURRENCE_PERIOD "occurrencePeriod" false,
        26 OCCURRENCE_TIMING "occurrenceTiming" false,
        27 AS_NEEDED_BOOLEAN "asNeededBoolean" false,
        28 AUTHORED_ON "authoredOn" false,
        29 REQUESTER "requester" false,
        30 PERFORMER_TYPE "performerType" false,
        31 PERFORMER "performer" true,
        32 LOCATION_CODE "locationCode" true,
        33 LOCATION_REFERENCE "locationReference" true,
        34 REASON_CODE "reasonCode" true,
        35 REASON_REFERENCE "reasonReference" true,
        36 INSURANCE "insurance" true,
        37 SUPPORTING_INFO "supportingInfo" true,
        38 SPECIMEN "specimen" true,
        39 BODY_SITE "bodySite" true,
        40 NOTE "note" true,
        41 PATIENT_INSTRUCTION "patientInstruction" false,
        42 RELEVANT_HISTORY "relevantHistory" true,
    }
}

elements! {
    /// Elements of MedicationRequest.
    medication_request {
        10 IDENTIFIER "identifier" true,
        11 STATUS "status" false,
        12 STATUS_REASON "statusReason" false,
        13 INTENT "intent" false,
        14 CATEGORY "category" true,
        15 PRIORITY "priority" false,
        16 DO_NOT_PERFORM "doNotPerform" false,
        17 REPORTED_BOOLEAN "reportedBoolean" false,
        18 MEDICATION_CODEABLE_CONCEPT "medicationCodeableConcept" false,
        18 MEDICATION_REFERENCE "medicationReference" false,
        19 SUBJECT "subject" false,
        20 ENCOUNTER "encounter" false,
        21 SUPPORTING_INFORMATION "supportingInformation" true,
        22 AUTHORED_ON "authoredOn" false,
        23 REQUESTER "requester" false,
        24 PERFORMER "performer" false,
        25 PERFORMER_TYPE "performerType" false,
        26 RECORDER "recorder" false,
        27 REASON_CODE "reasonCode" true,
        28 REASON_REFERENCE "reasonReference" true,
        29 INSTANTIATES_CANONICAL "instantiatesCanonical" true,
        30 INSTANTIATES_URI "instantiatesUri" true,
        31 BASED_ON "basedOn" true,
        32 GROUP_IDENTIFIER "groupIdentifier" false,
        33 COURSE_OF_THERAPY_TYPE "courseOfTherapyType" false,
        34 INSURANCE "insurance" true,
        35 NOTE "note" true,
        36 DOSAGE_INSTRUCTION "dosageInstruction" true,
        37 DISPENSE_REQUEST "dispenseRequest" false,
        38 SUBSTITUTION "substitution" false,
        39 PRIOR_PRESCRIPTION "priorPrescription" false,
        40 DETECTED_ISSUE "detectedIssue" true,
        41 EVENT_HISTORY "eventHistory" true,
    }
}

elements! {
    /// Elements of MedicationAdministration.
    medication_administration {
        10 IDENTIFIER "identifier" true,
        11 INSTANTIATES "instantiates" true,
        12 PART_OF "partOf" true,
        13 STATUS "status" false,
        14 STATUS_REASON "statusReason" true,
        15 CATEGORY "category" false,
        16 MEDICATION_CODEABLE_CONCEPT "medicationCodeableConcept" false,
        16 MEDICATION_REFERENCE "medicationReference" false,
        17 SUBJECT "subject" false,
        18 CONTEXT "context" false,
        19 SUPPORTING_INFORMATION "supportingInformation" true,
        20 EFFECTIVE_DATE_TIME "effectiveDateTime" false,
        20 EFFECTIVE_PERIOD "effectivePeriod" false,
        21 PERFORMER "performer" true,
        22 REASON_CODE "reasonCode" true,
        23 REASON_REFERENCE "reasonReference" true,
        24 REQUEST "request" false,
        25 DEVICE "device" true,
        26 NOTE "note" true,
        27 DOSAGE "dosage" false,
        28 EVENT_HISTORY "eventHistory" true,
    }
}

elements! {
    /// Elements of MedicationDispense.
    medication_dispense {
        10 IDENTIFIER "identifier" true,
        11 PART_OF "partOf" true,
        12 STATUS "status" false,
        13 STATUS_REASON_CODEABLE_CONCEPT "statusReasonCodeableConcept" false,
        14 CATEGORY "category" false,
        15 MEDICATION_CODEABLE_CONCEPT "medicationCodeableConcept" false,
        15 MEDICATION_REFERENCE "medicationReference" false,
        16 SUBJECT "subject" false,
        17 CONTEXT "context" false,
        18 SUPPORTING_INFORMATION "supportingInformation" true,
        19 PERFORMER "performer" true,
        20 LOCATION "location" false,
        21 AUTHORIZING_PRESCRIPTION "authorizingPrescription" true,
        22 TYPE "type" false,
        23 QUANTITY "quantity" false,
        24 DAYS_SUPPLY "daysSupply" false,
        25 WHEN_PREPARED "whenPrepared" false,
        26 WHEN_HANDED_OVER "whenHandedOver" false,
        27 DESTINATION "destination" false,
        28 RECEIVER "receiver" true,
        29 NOTE "note" true,
        30 DOSAGE_INSTRUCTION "dosageInstruction" true,
        31 SUBSTITUTION "substitution" false,
        32 DETECTED_ISSUE "detectedIssue" true,
        33 EVENT_HISTORY "eventHistory" true,
    }
}

elements! {
    /// Elements of Medication.
    medication {
        10 IDENTIFIER "identifier" true,
        11 CODE "code" false,
        12 STATUS "status" false,
        13 MANUFACTURER "manufacturer" false,
        14 FORM "form" false,
        15 AMOUNT "amount" false,
        16 INGREDIENT "ingredient" true,
        17 BATCH "batch" false,
    }
}

elements! {
    /// Elements of Immunization.
    immunization {
        10 IDENTIFIER "identifier" true,
        11 STATUS "status" false,
        12 STATUS_REASON "statusReason" false,
        13 VACCINE_CODE "vaccineCode" false,
        14 PATIENT "patient" false,
        15 ENCOUNTER "encounter" false,
        16 OCCURRENCE_DATE_TIME "occurrenceDateTime" false,
        16 OCCURRENCE_STRING "occurrenceString" false,
        17 RECORDED "recorded" false,
        18 PRIMARY_SOURCE "primarySource" false,
        19 REPORT_ORIGIN "reportOrigin" false,
        20 LOCATION "location" false,
        21 MANUFACTURER "manufacturer" false,
        22 LOT_NUMBER "lotNumber" false,
        23 EXPIRATION_DATE "expirationDate" false,
        24 SITE "site" false,
        25 ROUTE "route" false,
        26 DOSE_QUANTITY "doseQuantity" false,
        27 PERFORMER "performer" true,
        28 NOTE "note" true,
        29 REASON_CODE "reasonCode" true,
        30 REASON_REFERENCE "reasonReference" true,
        31 IS_SUBPOTENT "isSubpotent" false,
        32 SUBPOTENT_REASON "subpotentReason" true,
        33 EDUCATION "education" true,
        34 PROGRAM_ELIGIBILITY "programEligibility" true,
        35 FUNDING_SOURCE "fundingSource" false,
        36 REACTION "reaction" true,
        37 PROTOCOL_APPLIED "protocolApplied" true,
    }
}

elements! {
    /// Elements of Procedure.
    procedure {
        10 IDENTIFIER "identifier" true,
        11 INSTANTIATES_CANONICAL "instantiatesCanonical" true,
        12 INSTANTIATES_URI "instantiatesUri" true,
        13 BASED_ON "basedOn" true,
        14 PART_OF "partOf" true,
        15 STATUS "status" false,
        16 STATUS_REASON "statusReason" false,
        17 CATEGORY "category" false,
        18 CODE "code" false,
        19 SUBJECT "subject" false,
        20 ENCOUNTER "encounter" false,
        21 PERFORMED_DATE_TIME "performedDateTime" false,
        21 PERFORMED_PERIOD "performedPeriod" false,
        22 RECORDER "recorder" false,
        23 ASSERTER "asserter" false,
        24 PERFORMER "performer" true,
        25 LOCATION "location" false,
        26 REASON_CODE "reasonCode" true,
        27 REASON_REFERENCE "reasonReference" true,
        28 BODY_SITE "bodySite" true,
        29 OUTCOME "outcome" false,
        30 REPORT "report" true,
        31 COMPLICATION "complication" true,
        32 COMPLICATION_DETAIL "complicationDetail" true,
        33 FOLLOW_UP "followUp" true,
        34 NOTE "note" true,
        35 FOCAL_DEVICE "focalDevice" true,
        36 USED_REFERENCE "usedReference" true,
        37 USED_CODE "usedCode" true,
    }
}

elements! {
    /// Elements of ImagingStudy.
    imaging_study {
        10 IDENTIFIER "identifier" true,
        11 STATUS "status" false,
        12 MODALITY "modality" true,
        13 SUBJECT "subject" false,
        14 ENCOUNTER "encounter" false,
        15 STARTED "started" false,
        16 BASED_ON "basedOn" true,
        17 REFERRER "referrer" false,
        18 INTERPRETER "interpreter" true,
        19 ENDPOINT "endpoint" true,
        20 NUMBER_OF_SERIES "numberOfSeries" false,
        21 NUMBER_OF_INSTANCES "numberOfInstances" false,
        22 PROCEDURE_REFERENCE "procedureReference" false,
        23 PROCEDURE_CODE "procedureCode" true,
        24 LOCATION "location" false,
        25 REASON_CODE "reasonCode" true,
        26 REASON_REFERENCE "reasonReference" true,
        27 NOTE "note" true,
        28 DESCRIPTION "description" false,
        29 SERIES "series" true,
    }
}

elements! {
    /// Elements of NutritionOrder.
    nutrition_order {
        10 IDENTIFIER "identifier" true,
        11 INSTANTIATES_CANONICAL "instantiatesCanonical" true,
        12 INSTANTIATES_URI "instantiatesUri" true,
        13 INSTANTIATES "instantiates" true,
        14 STATUS "status" false,
        15 INTENT "intent" false,
        16 PATIENT "patient" false,
        17 ENCOUNTER "encounter" false,
        18 DATE_TIME "dateTime" false,
        19 ORDERER "orderer" false,
        20 ALLERGY_INTOLERANCE "allergyIntolerance" true,
        21 FOOD_PREFERENCE_MODIFIER "foodPreferenceModifier" true,
        22 EXCLUDE_FOOD_MODIFIER "excludeFoodModifier" true,
        23 ORAL_DIET "oralDiet" false,
        24 SUPPLEMENT "supplement" true,
        25 ENTERAL_FORMULA "enteralFormula" false,
        26 NOTE "note" true,
    }
}

elements! {
    /// Elements of DocumentReference.
    document_reference {
        10 MASTER_IDENTIFIER "masterIdentifier" false,
        11 IDENTIFIER "identifier" true,
        12 STATUS "status" false,
        13 DOC_STATUS "docStatus" false,
        14 TYPE "type" false,
        15 CATEGORY "category" true,
        16 SUBJECT "subject" false,
        17 DATE "date" false,
        18 AUTHOR "author" true,
        19 AUTHENTICATOR "authenticator" false,
        20 CUSTODIAN "custodian" false,
        21 RELATES_TO "relatesTo" true,
        22 DESCRIPTION "description" false,
        23 SECURITY_LABEL "securityLabel" true,
        24 CONTENT "content" true,
        25 CONTEXT "context" false,
    }
}

elements! {
    /// Elements of Binary.
    binary {
        10 CONTENT_TYPE "contentType" false,
        11 SECURITY_CONTEXT "securityContext" false,
        12 DATA "data" false,
    }
}

elements! {
    /// Elements of Practitioner.
    practitioner {
        10 IDENTIFIER "identifier" true,
        11 ACTIVE "active" false,
        12 NAME "name" true,
        13 TELECOM "telecom" true,
        14 ADDRESS "address" true,
        15 GENDER "gender" false,
        16 BIRTH_DATE "birthDate" false,
        17 PHOTO "photo" true,
        18 QUALIFICATION "qualification" true,
        19 COMMUNICATION "communication" true,
    }
}

elements! {
    /// Elements of PractitionerRole.
    practitioner_role {
        10 IDENTIFIER "identifier" true,
        11 ACTIVE "active" false,
        12 PERIOD "period" false,
        13 PRACTITIONER "practitioner" false,
        14 ORGANIZATION "organization" false,
        15 CODE "code" true,
        16 SPECIALTY "specialty" true,
        17 LOCATION "location" true,
        18 HEALTHCARE_SERVICE "healthcareService" true,
        19 TELECOM "telecom" true,
        20 AVAILABLE_TIME "availableTime" true,
        21 NOT_AVAILABLE "notAvailable" true,
        22 AVAILABILITY_EXCEPTIONS "availabilityExceptions" false,
        23 ENDPOINT "endpoint" true,
    }
}

elements! {
    /// Elements of Organization.
    organization {
        10 IDENTIFIER "identifier" true,
        11 ACTIVE "active" false,
        12 TYPE "type" true,
        13 NAME "name" false,
        14 ALIAS "alias" true,
        15 TELECOM "telecom" true,
        16 ADDRESS "address" true,
        17 PART_OF "partOf" false,
        18 CONTACT "contact" true,
        19 ENDPOINT "endpoint" true,
    }
}

elements! {
    /// Elements of Location.
    location {
        10 IDENTIFIER "identifier" true,
        11 STATUS "status" false,
        12 OPERATIONAL_STATUS "operationalStatus" false,
        13 NAME "name" false,
        14 ALIAS "alias" true,
        15 DESCRIPTION "description" false,
        16 MODE "mode" false,
        17 TYPE "type" true,
        18 TELECOM "telecom" true,
        19 ADDRESS "address" false,
        20 PHYSICAL_TYPE "physicalType" false,
        21 POSITION "position" false,
        22 MANAGING_ORGANIZATION "managingOrganization" false,
        23 PART_OF "partOf" false,
        24 HOURS_OF_OPERATION "hoursOfOperation" true,
        25 AVAILABILITY_EXCEPTIONS "availabilityExceptions" false,
        26 ENDPOINT "endpoint" true,
    }
}

elements! {
    /// Elements of Provenance.
    provenance {
        10 TARGET "target" true,
        11 OCCURRED_PERIOD "occurredPeriod" false,
        11 OCCURRED_DATE_TIME "occurredDateTime" false,
        12 RECORDED "recorded" false,
        13 POLICY "policy" true,
        14 LOCATION "location" false,
        15 REASON "reason" true,
        16 ACTIVITY "activity" false,
        17 AGENT "agent" true,
        18 ENTITY "entity" true,
        19 SIGNATURE "signature" true,
    }
}

elements! {
    /// Elements of MessageHeader.
    message_header {
        10 EVENT_CODING "eventCoding" false,
        10 EVENT_URI "eventUri" false,
        11 DESTINATION "destination" true,
        12 SENDER "sender" false,
        13 ENTERER "enterer" false,
        14 AUTHOR "author" false,
        15 SOURCE "source" false,
        16 RESPONSIBLE "responsible" false,
        17 REASON "reason" false,
        18 RESPONSE "response" false,
        19 FOCUS "focus" true,
        20 DEFINITION "definition" false,
    }
}
