using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;
using ImageStore.Integration.Tests.Durability.Tracing;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability;

/// <summary>The course of all commands, recorded once for the tests of a class.</summary>
public sealed class CourseFixture(RegistryFixture registry) : IDisposable
{
    private readonly Scratch _scratch = new();
    private RecordedCourse? _course;

    internal Scratch Scratch => _scratch;

    /// <summary>The course; skips the test where it cannot be recorded.</summary>
    internal async Task<RecordedCourse> GetAsync(CancellationToken cancellationToken)
    {
        registry.Need();
        await Strace.NeedAsync();
        if (_course is null)
        {
            var mixed = await MixedCourse.MakeAsync(registry, Directory.CreateDirectory(_scratch.New("images")).FullName);
            _course = await RecordedCourse.RunAsync(mixed.Steps, mixed.Mountable, _scratch, cancellationToken);
        }

        return _course;
    }

    public void Dispose() => _scratch.Dispose();
}
