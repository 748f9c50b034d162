using ImageStore.Gc.Pressure;
using ImageStore.Gc.Scheduling;
using ImageStore.Snapshotters.Erofs;
using ImageStore.Snapshotters.Layers;
using ImageStore.Snapshotters.Overlay;
using ImageStore.Snapshotters.Snapshots;
using ImageStore.Store;
using ImageStore.Store.Configuration;
using ImageStore.Store.Content;
using ImageStore.Store.Errors;

namespace ImageStore.Engine.Configuration;

/// <summary>Reads <c>config.toml</c>. A mistake is an error with file and line, never a default.</summary>
public static class SettingsFile
{
    private const int MaxBytes = 1024 * 1024;
    private const string Never = "never";
    private const string OverlayTable = "overlayfs";
    private const string ErofsTable = "erofs";
    private const double Percent = 100;

    private static readonly TimeSpan s_longest = TimeSpan.FromDays(3650);

    /// <summary>The documented file, with every default written out.</summary>
    public static string Template { get; } = ReadTemplate();

    /// <summary>The settings of a root.</summary>
    /// <param name="path">The file that the user named; null for the one that the root has, if it has one.</param>
    /// <param name="root">The root directory.</param>
    /// <exception cref="ImageStoreException">The file is missing, cannot be read, or has a mistake.</exception>
    public static Settings Load(string? path, string root)
    {
        var usual = Path.Combine(root, StoreRoot.ConfigurationName);
        return path is not null ? Read(path) : File.Exists(usual) ? Read(usual) : new Settings();
    }

    /// <summary>The settings that a file has.</summary>
    /// <exception cref="ImageStoreException">The file is missing, cannot be read, or has a mistake.</exception>
    public static Settings Read(string path) => Parse(SmallFile.ReadText(path, MaxBytes), path);

    internal static Settings Parse(string text, string file)
    {
        var root = TomlTable.Parse(text, file);
        root.Allow(key => key is "content" or "gc" or "scrub" or "snapshotters" or "layers" or "daemon" or "access" or "audit");
        var gc = Section(root, "gc", [
            "pause_threshold", "deletion_threshold", "mutation_threshold", "schedule_delay", "startup_delay", "interval",
            "high_water", "low_water"]);
        return new Settings
        {
            Sharing = Sharing(Section(root, "content", ["sharing"])?.Find("sharing")),
            Collection = Collection(gc),
            Marks = Marks(gc),
            Layers = Section(root, "layers", [.. LayerSettings.Keys]) is { } layers ? LayerSettings.Of(layers) : new LayerLimits(),
            Scrub = Scrub(Section(root, "scrub", ["interval", "rate", "slice"])),
            Snapshotters = Snapshotters(Section(root, "snapshotters", [OverlayTable, ErofsTable])),
            Access = AccessSettings.Of(root.Find("access")),
            SocketGroup = Section(root, "daemon", ["socket_group"])?.Find("socket_group") is { } group ? AccountName.Of(group) : null,
            Audit = Section(root, "audit", [.. AuditSettings.Keys]) is { } audit ? AuditSettings.Of(audit) : new AuditSettings(),
        };
    }

    private static ContentSharing Sharing(TomlItem? item) => item?.Text switch
    {
        null or "proof" => ContentSharing.Proof,
        "shared" => ContentSharing.Shared,
        "isolated" => ContentSharing.Isolated,
        _ => throw item.Complaint("sharing is 'proof', 'shared' or 'isolated'"),
    };

    private static SchedulerOptions Collection(TomlTable? gc)
    {
        var usual = new SchedulerOptions();
        return gc is null ? usual : new SchedulerOptions
        {
            PauseThreshold = gc.Find("pause_threshold") is { } pause ? Within(pause, pause.Fraction, SchedulerOptions.MaxPauseThreshold) : usual.PauseThreshold,
            DeletionThreshold = Count(gc.Find("deletion_threshold"), usual.DeletionThreshold),
            MutationThreshold = Count(gc.Find("mutation_threshold"), usual.MutationThreshold),
            ScheduleDelay = Delay(gc.Find("schedule_delay"), usual.ScheduleDelay),
            StartupDelay = Delay(gc.Find("startup_delay"), usual.StartupDelay),
            Interval = Interval(gc.Find("interval"), usual.Interval),
        };
    }

    private static WaterMarks? Marks(TomlTable? gc)
    {
        var (high, low) = (gc?.Find("high_water"), gc?.Find("low_water"));
        if (high is null || low is null)
        {
            return (high ?? low) is { } single ? throw single.Complaint("high_water and low_water go together") : null;
        }

        try
        {
            return WaterMarks.Of(high.Fraction / Percent, low.Fraction / Percent);
        }
        catch (ImageStoreException refused) when (refused.Kind == ErrorKind.InvalidArgument)
        {
            throw high.Complaint("high_water is above low_water, and both are percentages between 0 and 100");
        }
    }

    private static ScrubSettings Scrub(TomlTable? scrub)
    {
        var usual = new ScrubSettings();
        return scrub is null ? usual : new ScrubSettings
        {
            Interval = Interval(scrub.Find("interval"), usual.Interval),
            BytesPerSecond = scrub.Find("rate") is { } rate
                ? ByteText.Parse(rate.Text) ?? throw rate.Complaint("a rate is bytes a second, such as \"20M\"")
                : usual.BytesPerSecond,
            Slice = scrub.Find("slice") is { } slice ? Time(slice) : usual.Slice,
        };
    }

    private static SnapshotterOptions Snapshotters(TomlTable? kinds) => kinds is null ? new SnapshotterOptions() : new SnapshotterOptions
    {
        Overlay = Overlay(Section(kinds, OverlayTable, ["volatile", "mount_options"])),
        Erofs = Erofs(Section(kinds, ErofsTable, ["digests"])),
    };

    private static OverlayOptions Overlay(TomlTable? overlay)
    {
        var usual = new OverlayOptions();
        var options = overlay?.Find("mount_options")?.List ?? [];
        if (options.FirstOrDefault(option => OverlayOptions.Fault(option.Text) is not null) is { } wrong)
        {
            throw wrong.Complaint(OverlayOptions.Fault(wrong.Text)!);
        }

        return usual with
        {
            Volatile = overlay?.Find("volatile")?.Truth ?? usual.Volatile,
            MountOptions = options.Count == 0 ? usual.MountOptions : [.. options.Select(option => option.Text)],
        };
    }

    private static ErofsOptions Erofs(TomlTable? erofs)
    {
        var usual = new ErofsOptions();
        return usual with { Digests = erofs?.Find("digests")?.Truth ?? usual.Digests };
    }

    private static TomlTable? Section(TomlTable root, string name, string[] keys)
    {
        var table = root.Find(name)?.Table;
        table?.Allow(keys.Contains);
        return table;
    }

    private static int Count(TomlItem? item, int usual) =>
        item is null ? usual : (int)Within(item, item.Number, int.MaxValue);

    private static double Within(TomlItem item, double value, double most) =>
        value >= 0 && value <= most ? value : throw item.Complaint(FormattableString.Invariant($"it is at least 0 and at most {most}"));

    private static TimeSpan? Interval(TomlItem? item, TimeSpan? usual) =>
        item is null ? usual : item.Text == Never ? null : Time(item);

    private static TimeSpan Delay(TomlItem? item, TimeSpan usual) =>
        item is null ? usual : item.Text == "0s" ? TimeSpan.Zero : Time(item);

    private static TimeSpan Time(TomlItem item) =>
        GoDuration.Parse(item.Text, s_longest) ?? throw item.Complaint("a time is such as \"10m\", \"1h30m\" or \"30d\"");

    private static string ReadTemplate()
    {
        using var stream = typeof(SettingsFile).Assembly.GetManifestResourceStream("config.toml")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
