using ImageStore.Runtime.Host;
using ImageStore.Runtime.Images;
using ImageStore.Runtime.Options;
using ImageStore.Runtime.Security;
using ImageStore.Runtime.Security.Seccomp;
using ImageStore.Runtime.Spec;
using ImageStore.Runtime.Users;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Generation;

/// <summary>Makes a container's configuration out of what an image says and a user asks.</summary>
/// <remarks>The defaults are containerd's; where they differ, docs/bundle.md says so.</remarks>
public static class SpecGenerator
{
    /// <summary>The root filesystem's name within a bundle.</summary>
    public const string RootName = "rootfs";

    private const long CpuPeriod = 100_000;

    /// <summary>Makes the configuration.</summary>
    /// <param name="image">What the image says; a stranger's words.</param>
    /// <param name="options">What the user asks.</param>
    /// <param name="host">What the machine and this process can do.</param>
    /// <param name="rootfs">The directory with the image's files, in which users are looked up.</param>
    /// <exception cref="ImageStoreException">The image or the options ask for what cannot be: the thing, why, and the way out.</exception>
    public static GeneratedSpec Generate(ImageProcess image, ContainerOptions options, HostFacts host, string rootfs)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(host);
        List<string> notes = [];
        var spec = Make(image, options, host, User(image, options, host, rootfs, notes), notes);
        return new GeneratedSpec(spec, notes);
    }

    /// <summary>Looks over all that needs no root filesystem, before there is one.</summary>
    /// <exception cref="ImageStoreException">As for <see cref="Generate"/>.</exception>
    public static void Check(ImageProcess image, ContainerOptions options, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(host);
        _ = Wanted(image, options);
        Make(image, options, host, new UserSpec { Uid = 0, Gid = 0 }, []);
    }

    private static RuntimeSpec Make(ImageProcess image, ContainerOptions options, HostFacts host, UserSpec user, List<string> notes)
    {
        var capabilities = Rights.Capabilities(options, host, notes);
        var spec = new RuntimeSpec
        {
            Process = new ProcessSpec
            {
                Terminal = options.Terminal,
                User = user,
                Args = ProcessWords.Arguments(image, options),
                Env = ProcessWords.Environment(image, options, notes),
                Cwd = ProcessWords.WorkingDirectory(image, options),
                Capabilities = new CapabilitySets { Bounding = capabilities, Effective = capabilities, Permitted = capabilities },
                Rlimits = Rights.Limits(options, host, notes),
                NoNewPrivileges = options.Security.NoNewPrivileges,
                OomScoreAdj = Rights.OomScore(options, host, notes),
            },
            Root = new RootSpec { Path = RootName, Readonly = options.ReadOnly },
            Hostname = options.Hostname,
            Mounts = MountTable.Of(options, host),
            Annotations = Annotations(image, options),
            Linux = Linux(options, host, capabilities),
        };
        SpecCheck.Check(spec);
        return spec;
    }

    private static UserText Wanted(ImageProcess image, ContainerOptions options) => options.User ?? UserText.Parse(image.User ?? string.Empty);

    private static UserSpec User(ImageProcess image, ContainerOptions options, HostFacts host, string rootfs, List<string> notes)
    {
        var user = UserFinder.Find(rootfs, Wanted(image, options));
        if (host.CanSetGroups)
        {
            return user;
        }

        if (user.AdditionalGids is { Count: > 1 } groups)
        {
            notes.Add($"the groups {string.Join(", ", groups.Skip(1))} are left out: this user namespace does not let groups be set");
        }

        return user with { AdditionalGids = null };
    }

    private static SortedDictionary<string, string>? Annotations(ImageProcess image, ContainerOptions options)
    {
        var annotations = ImageAnnotations.Of(image);
        foreach (var (name, value) in options.Annotations)
        {
            annotations[name] = value;
        }

        return annotations.Count > 0 ? annotations : null;
    }

    private static LinuxSpec Linux(ContainerOptions options, HostFacts host, IReadOnlyList<string> capabilities)
    {
        var devices = options.Devices.SelectMany(HostDevices.Find).ToList();
        var nodes = devices.Select(device => device.Node).Concat(options.Privileged ? HostDevices.All() : [])
            .DistinctBy(node => node.Path, StringComparer.Ordinal).ToList();
        return new LinuxSpec
        {
            Namespaces = [.. Namespaces(options, host).Select(type => new NamespaceSpec(type))],
            Devices = nodes.Count > 0 ? nodes : null,
            CgroupsPath = options.Cgroup,
            Resources = new ResourcesSpec
            {
                Devices = options.Privileged ? DeviceRules.Everything : [.. DeviceRules.Default, .. devices.Select(device => device.Rule)],
                Memory = options.MemoryBytes is { } bytes ? new MemorySpec(bytes) : null,
                Cpu = options.Cpus is { } cpus ? new CpuSpec((long)(cpus * CpuPeriod), (ulong)CpuPeriod) : null,
                Pids = options.Pids is { } pids ? new PidsSpec(pids) : null,
            },
            Seccomp = options.Security.Seccomp
                ?? (options.Privileged || options.Security.IsUnconfined ? null : DefaultProfile.For(capabilities, host.Architecture)),
            MaskedPaths = options.Privileged ? null : DefaultPaths.Masked,
            ReadonlyPaths = options.Privileged ? null : DefaultPaths.Readonly,
        };
    }

    private static IEnumerable<string> Namespaces(ContainerOptions options, HostFacts host) =>
        ((string?[])["pid", "ipc", "uts", "mount", options.HostNetwork ? null : "network", host.HasCgroup2 ? "cgroup" : null]).OfType<string>();
}

/// <summary>A configuration, and what had to be made less than was asked.</summary>
/// <param name="Spec">The configuration.</param>
/// <param name="Notes">Sentences for the user, without a full stop.</param>
public sealed record GeneratedSpec(RuntimeSpec Spec, IReadOnlyList<string> Notes);
