//! The functions: names and numbers of arguments. FHIRPath 2.0 §5 and 7, FHIR R4 §2.9.1.

macro_rules! functions {
    ($($variant:ident $name:literal $min:literal $max:literal;)*) => {
        /// A function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Function { $($variant,)* }

        /// Name, function, least and greatest number of arguments.
        pub(crate) const FUNCTIONS: &[(&str, Function, u32, u32)] =
            &[$(($name, Function::$variant, $min, $max),)*];
    };
}

functions! {
    Empty "empty" 0 0;
    Exists "exists" 0 1;
    All "all" 1 1;
    AllTrue "allTrue" 0 0;
    AnyTrue "anyTrue" 0 0;
    AllFalse "allFalse" 0 0;
    AnyFalse "anyFalse" 0 0;
    SubsetOf "subsetOf" 1 1;
    SupersetOf "supersetOf" 1 1;
    Count "count" 0 0;
    Distinct "distinct" 0 0;
    IsDistinct "isDistinct" 0 0;
    Where "where" 1 1;
    Select "select" 1 1;
    Repeat "repeat" 1 1;
    RepeatAll "repeatAll" 1 1;
    OfType "ofType" 1 1;
    Single "single" 0 0;
    First "first" 0 0;
    Last "last" 0 0;
    Tail "tail" 0 0;
    Skip "skip" 1 1;
    Take "take" 1 1;
    Intersect "intersect" 1 1;
    Exclude "exclude" 1 1;
    Union "union" 1 1;
    Combine "combine" 1 1;
    Coalesce "coalesce" 1 20;
    Iif "iif" 2 3;
    ToBoolean "toBoolean" 0 0;
    ConvertsToBoolean "convertsToBoolean" 0 0;
    ToInteger "toInteger" 0 0;
    ConvertsToInteger "convertsToInteger" 0 0;
    ToDecimal "toDecimal" 0 0;
    ConvertsToDecimal "convertsToDecimal" 0 0;
    ToStr "toString" 0 0;
    ConvertsToStr "convertsToString" 0 0;
    ToDate "toDate" 0 0;
    ConvertsToDate "convertsToDate" 0 0;
    ToDateTime "toDateTime" 0 0;
    ConvertsToDateTime "convertsToDateTime" 0 0;
    ToTime "toTime" 0 0;
    ConvertsToTime "convertsToTime" 0 0;
    ToQuantity "toQuantity" 0 1;
    ConvertsToQuantity "convertsToQuantity" 0 1;
    IndexOf "indexOf" 1 1;
    LastIndexOf "lastIndexOf" 1 1;
    Substring "substring" 1 2;
    StartsWith "startsWith" 1 1;
    EndsWith "endsWith" 1 1;
    ContainsText "contains" 1 1;
    Upper "upper" 0 0;
    Lower "lower" 0 0;
    Replace "replace" 2 2;
    Matches "matches" 1 2;
    MatchesFull "matchesFull" 1 2;
    ReplaceMatches "replaceMatches" 2 3;
    Length "length" 0 0;
    ToChars "toChars" 0 0;
    Encode "encode" 1 1;
    Decode "decode" 1 1;
    Escape "escape" 1 1;
    Unescape "unescape" 1 1;
    Trim "trim" 0 0;
    Split "split" 1 1;
    Join "join" 0 1;
    Abs "abs" 0 0;
    Ceiling "ceiling" 0 0;
    Exp "exp" 0 0;
    Floor "floor" 0 0;
    Ln "ln" 0 0;
    Log "log" 1 1;
    Power "power" 1 1;
    Round "round" 0 1;
    Sqrt "sqrt" 0 0;
    Truncate "truncate" 0 0;
    Children "children" 0 0;
    Descendants "descendants" 0 0;
    Trace "trace" 1 2;
    Now "now" 0 0;
    TimeOfDay "timeOfDay" 0 0;
    Today "today" 0 0;
    DefineVariable "defineVariable" 1 2;
    LowBoundary "lowBoundary" 0 1;
    HighBoundary "highBoundary" 0 1;
    Precision "precision" 0 0;
    Comparable "comparable" 1 1;
    Sort "sort" 0 20;
    Not "not" 0 0;
    Is "is" 1 1;
    As "as" 1 1;
    Type "type" 0 0;
    Aggregate "aggregate" 1 2;
    Extension "extension" 1 1;
    HasValue "hasValue" 0 0;
    GetValue "getValue" 0 0;
    Resolve "resolve" 0 0;
    ElementDefinition "elementDefinition" 0 0;
    Slice "slice" 2 2;
    CheckModifiers "checkModifiers" 0 20;
    ConformsTo "conformsTo" 1 1;
    MemberOf "memberOf" 1 1;
    Subsumes "subsumes" 1 1;
    SubsumedBy "subsumedBy" 1 1;
    HtmlChecks "htmlChecks" 0 0;
    YearOf "yearOf" 0 0;
    MonthOf "monthOf" 0 0;
    DayOf "dayOf" 0 0;
    HourOf "hourOf" 0 0;
    MinuteOf "minuteOf" 0 0;
    SecondOf "secondOf" 0 0;
    MillisecondOf "millisecondOf" 0 0;
    DateOf "dateOf" 0 0;
    TimeOf "timeOf" 0 0;
}
