import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.ConceptValidationOptions;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.io.IOUtils;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.utilities.npm.NpmPackage;

/**
 * HAPI's validator as an oracle. A line of the standard input is {@code packages TAB path TAB path ...}
 * or {@code document TAB json}; for each document one line comes back: {@code error} or {@code ok}, then
 * the errors, each {@code TAB location: message}.
 */
public final class Hapi {
    private Hapi() {}

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // Logs of the libraries are not part of the answer.
        System.setOut(System.err);
        FhirContext context = FhirContext.forR4();
        IValidationSupport core = new DefaultProfileValidationSupport(context) {
            @Override
            public IBaseResource fetchStructureDefinition(String url) {
                // Packages name R4's own definitions with their version, which it does not know.
                return super.fetchStructureDefinition(url.endsWith("|4.0.1") ? url.substring(0, url.length() - 6) : url);
            }
        };
        Map<String, FhirValidator> known = new LinkedHashMap<>();
        FhirValidator validator = null;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int tab = line.indexOf('\t');
            String rest = tab < 0 ? "" : line.substring(tab + 1);
            if (line.startsWith("packages")) {
                validator = known.get(rest);
                if (validator == null) {
                    validator = validator(context, core, rest.isEmpty() ? new String[0] : rest.split("\t"));
                    known.put(rest, validator);
                }
                continue;
            }
            StringBuilder answer = new StringBuilder();
            boolean bad = false;
            try {
                for (SingleValidationMessage m : validator.validateWithResult(rest).getMessages()) {
                    if (m.getSeverity().ordinal() >= ResultSeverityEnum.ERROR.ordinal()) {
                        bad = true;
                        answer.append('\t').append(plain(m.getLocationString() + ": " + m.getMessage()));
                    }
                }
            } catch (RuntimeException e) {
                // It refuses what it cannot parse.
                bad = true;
                answer.append('\t').append(plain("(exception): " + e));
            }
            out.println((bad ? "error" : "ok") + answer);
        }
    }

    private static String plain(String text) {
        return text.replace('\t', ' ').replace('\n', ' ').replace('\r', ' ');
    }

    private static FhirValidator validator(FhirContext context, IValidationSupport core, String[] packages)
            throws Exception {
        PrePopulatedValidationSupport given = new PrePopulatedValidationSupport(context);
        for (String path : packages) {
            try (FileInputStream file = new FileInputStream(path)) {
                NpmPackage pack = NpmPackage.fromPackage(file);
                for (String name : pack.listResources("StructureDefinition", "ValueSet", "CodeSystem")) {
                    String text = IOUtils.toString(pack.load("package", name), StandardCharsets.UTF_8);
                    IBaseResource resource = context.newJsonParser().parseResource(text);
                    if (resource instanceof StructureDefinition s && s.getType().equals("Bundle") && s.hasDifferential()) {
                        // It refuses the guides' own snapshots of Bundles, and makes one by itself.
                        s.setSnapshot(null);
                    }
                    given.addResource(resource);
                }
            }
        }
        UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(context);
        unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
        ValidationSupportChain chain = new ValidationSupportChain(
                core,
                given,
                new CommonCodeSystemsTerminologyService(context) {
                    @Override
                    public boolean isValueSetSupported(ValidationSupportContext root, String url) {
                        // A set that is preferred only: it makes an error of every other code.
                        return !LANGUAGES_VALUESET_URL.equals(url) && super.isValueSetSupported(root, url);
                    }

                    @Override
                    public CodeValidationResult validateCodeInValueSet(
                            ValidationSupportContext root,
                            ConceptValidationOptions options,
                            String system,
                            String code,
                            String display,
                            IBaseResource set) {
                        String url = CommonCodeSystemsTerminologyService.getValueSetUrl(getFhirContext(), set);
                        return LANGUAGES_VALUESET_URL.equals(url)
                                ? null
                                : super.validateCodeInValueSet(root, options, system, code, display, set);
                    }
                },
                new InMemoryTerminologyServerValidationSupport(context),
                new SnapshotGeneratingValidationSupport(context),
                unknown);
        FhirInstanceValidator instance = new FhirInstanceValidator(chain);
        instance.setAnyExtensionsAllowed(true);
        instance.setErrorForUnknownProfiles(false);
        instance.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
        FhirValidator validator = context.newValidator();
        validator.registerValidatorModule(instance);
        return validator;
    }
}
